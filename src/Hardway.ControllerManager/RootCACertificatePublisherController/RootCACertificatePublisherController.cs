using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Keeps the ConfigMap kube-root-ca.crt with the cluster's authority in every active namespace: Pods verify the API server with it. Keys are namespaces.</summary>
internal sealed class RootCACertificatePublisherController : ClusterController
{
    private const string MapName = "kube-root-ca.crt";
    private const string File = "ca.crt";
    private const string Description = "kubernetes.io/description";
    private const string Text = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

    private readonly Informer<Namespace> _namespaces;
    private readonly Informer<ConfigMap> _maps;
    private readonly string _authority;

    public RootCACertificatePublisherController(ControllerContext context, string authority) : base("root-ca-certificate-publisher-controller", "root-ca-cert-publisher", context)
    {
        Workers = 1;
        _authority = authority;
        _namespaces = Watch<Namespace>();
        _maps = Watch<ConfigMap>();
        _namespaces.AddHandler(n => Queue.Add(n.Metadata.Name), (_, n) => Queue.Add(n.Metadata.Name));
        _maps.AddHandler(updated: (_, m) => Changed(m), deleted: Changed);
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_namespaces.Store.Get(key) is not { } ns || ns.Status.Phase == "Terminating") return;
        var current = _maps.Store.Get(key, MapName);
        if (current is not null && current.Data is { Count: 1 } data && data.GetValueOrDefault(File) == _authority && current.Metadata.Annotations?.ContainsKey(Description) == true) return;
        var wanted = current is null ? new ConfigMap { Metadata = new ObjectMeta { Namespace = key, Name = MapName } } : (ConfigMap)current.DeepClone();
        wanted.Data = new Dictionary<string, string>(StringComparer.Ordinal) { [File] = _authority };
        (wanted.Metadata.Annotations ??= new Dictionary<string, string>(StringComparer.Ordinal))[Description] = Text;
        try
        {
            if (current is null) await Client.CreateAsync(wanted, cancellationToken);
            else await Client.UpdateAsync(wanted, cancellationToken);
        }
        catch (ApiException e) when (e.IsNamespaceTerminating || e.IsNotFound)
        {
        }
    }

    private void Changed(ConfigMap map)
    {
        if (map.Metadata.Name == MapName) Queue.Add(map.Metadata.Namespace);
    }
}
