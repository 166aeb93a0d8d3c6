using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Keeps the finalizer pv-protection on volumes and drops it when a volume that is being deleted is bound to no claim. Keys are volumes.</summary>
internal sealed class PersistentVolumeProtectionController : ClusterController
{
    private const string Finalizer = "kubernetes.io/pv-protection";
    private readonly Informer<PersistentVolume> _volumes;

    public PersistentVolumeProtectionController(ControllerContext context) : base("persistentvolume-protection-controller", "pv-protection-controller", context)
    {
        Workers = 1;
        _volumes = Watch<PersistentVolume>();
        _volumes.AddHandler(v => Queue.Add(v.Metadata.Name), (_, v) => Queue.Add(v.Metadata.Name));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_volumes.Store.Get(key) is not { } volume || Protection.Toggled(volume, Finalizer) is not { } changed) return;
        if (Protection.IsDeleting(volume) && volume.Status.Phase == "Bound") return;
        await Client.UpdateAsync(changed, cancellationToken);
    }
}
