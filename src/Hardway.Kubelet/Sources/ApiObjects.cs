using Hardway.Api.Authentication.V1;
using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.Kubelet.Sources;

/// <summary>
/// What a Pod refers to in the API: ConfigMaps, Secrets, tokens. Always asked freshly, so that a Pod that was created after its
/// ConfigMap sees it. Without an API server (static Pods only) every request is refused with one line.
/// </summary>
internal sealed class ApiObjects(KubeClient? client)
{
    private static readonly ApiResource ServiceAccounts = ApiResource.Of<ServiceAccount>();

    public Task<ConfigMap?> ConfigMapAsync(string ns, string name, CancellationToken stop) => Client.TryGetAsync<ConfigMap>(ns, name, stop);

    public Task<Secret?> SecretAsync(string ns, string name, CancellationToken stop) => Client.TryGetAsync<Secret>(ns, name, stop);

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

    private KubeClient Client => client ?? throw new InvalidOperationException("this kubelet has no API server (--kubeconfig is not given)");
}
