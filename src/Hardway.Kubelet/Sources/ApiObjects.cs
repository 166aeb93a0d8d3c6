using Hardway.Api.Authentication.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.NodeApi.V1;
using Hardway.Api.Storage.V1;
using Hardway.Client;

using TokenRequest = Hardway.Api.Authentication.V1.TokenRequest;

namespace Hardway.Kubelet.Sources;

/// <summary>
/// What a Pod refers to in the API. ConfigMaps and Secrets are watched while a Pod names them, when the configuration says so, and asked for each
/// time otherwise; all else is asked for. Without an API server (static Pods only) every request is refused with one line.
/// </summary>
internal sealed class ApiObjects(KubeClient? client, ObjectWatches<ConfigMap>? configMaps, ObjectWatches<Secret>? secrets, string nodeName)
{
    private static readonly ApiResource ServiceAccounts = ApiResource.Of<ServiceAccount>();

    /// <summary>The Pod's ConfigMaps and Secrets are of interest from now on.</summary>
    public void Follow(Pod pod)
    {
        configMaps?.Follow(pod.Metadata.Uid, pod.Metadata.Namespace, PodReferences.ConfigMaps(pod));
        secrets?.Follow(pod.Metadata.Uid, pod.Metadata.Namespace, PodReferences.Secrets(pod));
    }

    public void Forget(string uid)
    {
        configMaps?.Forget(uid);
        secrets?.Forget(uid);
    }

    public Task<ConfigMap?> ConfigMapAsync(string ns, string name, CancellationToken stop) => configMaps?.GetAsync(ns, name, stop) ?? Client.TryGetAsync<ConfigMap>(ns, name, stop);

    public Task<Secret?> SecretAsync(string ns, string name, CancellationToken stop) => secrets?.GetAsync(ns, name, stop) ?? Client.TryGetAsync<Secret>(ns, name, stop);

    public Task<PersistentVolumeClaim?> ClaimAsync(string ns, string name, CancellationToken stop) => Client.TryGetAsync<PersistentVolumeClaim>(ns, name, stop);

    public Task<PersistentVolume?> PersistentVolumeAsync(string name, CancellationToken stop) => Client.TryGetAsync<PersistentVolume>(null, name, stop);

    public Task<CSIDriver?> CsiDriverAsync(string name, CancellationToken stop) => Client.TryGetAsync<CSIDriver>(null, name, stop);

    public Task<VolumeAttachment?> AttachmentAsync(string name, CancellationToken stop) => Client.TryGetAsync<VolumeAttachment>(null, name, stop);

    public Task<Node> NodeAsync(CancellationToken stop) => Client.GetAsync<Node>(null, nodeName, stop);

    public Task<ServiceAccount?> ServiceAccountAsync(string ns, string name, CancellationToken stop) => Client.TryGetAsync<ServiceAccount>(ns, name, stop);

    /// <summary>A token of the Pod's service account that dies with the Pod.</summary>
    public async Task<(string Token, DateTimeOffset Expires)> TokenAsync(Pod pod, string audience, long expirationSeconds, CancellationToken stop)
    {
        var request = new TokenRequest
        {
            Spec = new TokenRequestSpec
            {
                Audiences = audience.Length > 0 ? [audience] : null,
                ExpirationSeconds = expirationSeconds,
                BoundObjectRef = new BoundObjectReference { ApiVersion = "v1", Kind = "Pod", Name = pod.Metadata.Name, Uid = pod.Metadata.Uid },
            },
        };
        var account = pod.Spec.ServiceAccountName.Length > 0 ? pod.Spec.ServiceAccountName : "default";
        var answer = await Client.CreateAsync(ServiceAccounts, pod.Metadata.Namespace, account, "token", request, stop);
        return (answer.Status.Token, answer.Status.ExpirationTimestamp ?? Client.Time.GetUtcNow().AddSeconds(expirationSeconds));
    }

    /// <summary>The runtime's handler that a RuntimeClass names; none: the runtime's default.</summary>
    /// <exception cref="RuntimeClassException">There is no such RuntimeClass.</exception>
    public async Task<string> RuntimeHandlerAsync(string? runtimeClass, CancellationToken stop)
    {
        if (string.IsNullOrEmpty(runtimeClass))
            return "";
        return (await Client.TryGetAsync<RuntimeClass>(null, runtimeClass, stop))?.Handler ?? throw new RuntimeClassException($"RuntimeClass \"{runtimeClass}\" not found");
    }

    private KubeClient Client => client ?? throw new InvalidOperationException("this kubelet has no API server (--kubeconfig is not given)");
}
