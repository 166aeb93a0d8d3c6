using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Sees to it that every active namespace has the service account "default". Keys are namespaces.</summary>
internal sealed class ServiceAccountController : ClusterController
{
    private readonly Informer<Namespace> _namespaces;
    private readonly Informer<ServiceAccount> _accounts;

    public ServiceAccountController(ControllerContext context) : base("serviceaccount-controller", "service-account-controller", context)
    {
        Workers = 1;
        _namespaces = Watch<Namespace>();
        _accounts = Watch<ServiceAccount>();
        _namespaces.AddHandler(n => Queue.Add(n.Metadata.Name), (_, n) => Queue.Add(n.Metadata.Name));
        _accounts.AddHandler(deleted: a => Queue.Add(a.Metadata.Namespace));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_namespaces.Store.Get(key) is not { } ns || ns.Status.Phase == "Terminating" || _accounts.Store.Get(key, "default") is not null) return;
        try
        {
            await Client.CreateAsync(new ServiceAccount { Metadata = new ObjectMeta { Namespace = key, Name = "default" } }, cancellationToken);
        }
        catch (ApiException e) when (e.IsAlreadyExists || e.IsNamespaceTerminating || e.IsNotFound)
        {
        }
    }
}
