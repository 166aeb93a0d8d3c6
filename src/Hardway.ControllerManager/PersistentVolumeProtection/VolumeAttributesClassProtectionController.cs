using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Keeps the finalizer vac-protection on VolumeAttributesClasses and drops it when one that is being deleted is named by no claim and no volume. Keys are classes.</summary>
internal sealed class VolumeAttributesClassProtectionController : ClusterController
{
    private const string Finalizer = "kubernetes.io/vac-protection";
    private readonly Informer<VolumeAttributesClass> _classes;
    private readonly Informer<PersistentVolumeClaim> _claims;
    private readonly Informer<PersistentVolume> _volumes;

    public VolumeAttributesClassProtectionController(ControllerContext context) : base("volumeattributesclass-protection-controller", "volumeattributesclass-protection-controller", context)
    {
        Workers = 1;
        _classes = Watch<VolumeAttributesClass>();
        _claims = Watch<PersistentVolumeClaim>();
        _volumes = Watch<PersistentVolume>();
        _classes.AddHandler(c => Queue.Add(c.Metadata.Name), (_, c) => Queue.Add(c.Metadata.Name));
        _claims.AddHandler(updated: (old, _) => Released(NamesOf(old)), deleted: c => Released(NamesOf(c)));
        _volumes.AddHandler(updated: (old, _) => Released([old.Spec.VolumeAttributesClassName]), deleted: v => Released([v.Spec.VolumeAttributesClassName]));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_classes.Store.Get(key) is not { } cached || Protection.Toggled(cached, Finalizer) is not { } changed) return;
        if (Protection.IsDeleting(cached) && IsUsed(key)) return;
        await Client.UpdateAsync(changed, cancellationToken);
    }

    private bool IsUsed(string name) => _claims.Store.List().Any(c => NamesOf(c).Contains(name)) || _volumes.Store.List().Any(v => v.Spec.VolumeAttributesClassName == name);

    private static string?[] NamesOf(PersistentVolumeClaim claim) => [claim.Spec.VolumeAttributesClassName, claim.Status.CurrentVolumeAttributesClassName, claim.Status.ModifyVolumeStatus?.TargetVolumeAttributesClassName];

    private void Released(string?[] names)
    {
        foreach (var name in names)
        {
            if (name is { Length: > 0 } && _classes.Store.Get(name)?.Metadata.DeletionTimestamp is not null) Queue.Add(name);
        }
    }
}
