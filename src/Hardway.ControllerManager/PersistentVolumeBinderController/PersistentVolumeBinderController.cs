using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Binds claims to volumes that fit, both ways: first the volume names the claim, then the claim names the volume, so that a stop in between is
/// finished by the next look. A claim whose class waits for its first consumer waits for the scheduler's choice of a node; one whose class has an external
/// provisioner is left to that. Volumes whose claim is gone are Released. Keys are claims, and volumes with the prefix "volume:". One worker: no volume is given twice.
/// </summary>
internal sealed class PersistentVolumeBinderController : ClusterController
{
    private const string VolumePrefix = "volume:";
    private const string BindCompleted = "pv.kubernetes.io/bind-completed";
    private const string BoundByController = "pv.kubernetes.io/bound-by-controller";
    private const string SelectedNode = "volume.kubernetes.io/selected-node";
    private const string Provisioner = "volume.kubernetes.io/storage-provisioner";
    private const string Account = "persistent-volume-binder";

    private readonly EventRecorder _events;
    private readonly Informer<PersistentVolume> _volumes;
    private readonly Informer<PersistentVolumeClaim> _claims;
    private readonly Informer<StorageClass> _classes;
    private readonly WrittenVersions _written = new();

    public PersistentVolumeBinderController(ControllerContext context) : base("persistentvolume-binder-controller", Account, context)
    {
        Workers = 1;
        _events = EventsAs("persistentvolume-controller");
        _volumes = Watch<PersistentVolume>();
        _claims = Watch<PersistentVolumeClaim>();
        _classes = Watch<StorageClass>();
        _claims.AddHandler(c => Queue.Add(KubeKey.Of(c)), (_, c) => Queue.Add(KubeKey.Of(c)), ClaimDeleted);
        _volumes.AddHandler(VolumeChanged, (_, v) => VolumeChanged(v), VolumeDeleted);
        _classes.AddHandler(added: _ => EnqueuePending(), updated: (old, now) => { if (VolumeMatching.IsDefault(old) != VolumeMatching.IsDefault(now)) EnqueuePending(); });
    }

    public override Task ReconcileAsync(string key, CancellationToken cancellationToken) =>
        key.StartsWith(VolumePrefix, StringComparison.Ordinal) ? SyncVolumeAsync(key[VolumePrefix.Length..], cancellationToken) : SyncClaimAsync(key, cancellationToken);

    private async Task SyncVolumeAsync(string name, CancellationToken ct)
    {
        if (_volumes.Store.Get(name) is not { } volume || !_written.Seen(name, [volume])) return;
        if (volume.Spec.ClaimRef is not { } reference)
        {
            await SetPhaseAsync(volume, "Available", ct);
            EnqueuePending();
            return;
        }
        if (reference.Uid.Length == 0)
        {
            await SetPhaseAsync(volume, "Available", ct);
            Queue.Add(KubeKey.Of(reference.Namespace, reference.Name));
            return;
        }
        var claim = _claims.Store.Get(reference.Namespace, reference.Name) ?? await Client.TryGetAsync<PersistentVolumeClaim>(reference.Namespace, reference.Name, ct);
        if (claim is not null && claim.Metadata.Uid == reference.Uid)
        {
            await SetPhaseAsync(volume, "Bound", ct);
            Queue.Add(KubeKey.Of(claim));
            return;
        }
        await SetPhaseAsync(volume, "Released", ct);
        if (volume.Spec.PersistentVolumeReclaimPolicy == "Delete" && volume.Metadata.Annotations?.ContainsKey("pv.kubernetes.io/provisioned-by") != true && volume.Status.Phase != "Failed")
        {
            await SetPhaseAsync(volume, "Failed", ct, "error getting deleter volume plugin for volume: no deletable volume plugin matched");
            _events.Warning(volume, "VolumeFailedDelete", "no deletable volume plugin matched: remove the volume by hand");
        }
    }

    private async Task SyncClaimAsync(string key, CancellationToken ct)
    {
        if (_claims.Store.Get(key) is not { } claim || claim.Metadata.DeletionTimestamp is not null) return;
        if (claim.Spec.VolumeName.Length > 0)
        {
            await FinishAsync(claim, ct);
            return;
        }
        if (VolumeMatching.NeedsDefaultClass(claim) && VolumeMatching.DefaultClass(_classes.Store.List()) is { } standard)
        {
            // Made before there was a default: it gets the one there is now (KEP-3333).
            var classed = claim.Clone();
            classed.Spec.StorageClassName = standard.Metadata.Name;
            await Client.UpdateAsync(classed, ct);
            return;
        }
        var @class = VolumeMatching.ClassOf(claim);
        var storageClass = @class.Length > 0 ? _classes.Store.Get(@class) : null;
        if (storageClass?.VolumeBindingMode == "WaitForFirstConsumer" && claim.Metadata.Annotations?.ContainsKey(SelectedNode) != true && !_volumes.Store.List().Any(v => VolumeMatching.IsFor(v, claim)))
        {
            _events.Normal(claim, "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
            return;
        }
        var current = _volumes.Store.List();
        if (Array.Exists(current, v => !_written.Seen(v.Metadata.Name, [v]))) return;
        if (VolumeMatching.Find(claim, current) is { } volume)
        {
            await BindAsync(claim, volume, ct);
            return;
        }
        if (storageClass is null)
            _events.Normal(claim, @class.Length > 0 ? "ProvisioningFailed" : "FailedBinding", @class.Length > 0 ? $"storageclass.storage.k8s.io \"{@class}\" not found" : "no persistent volumes available for this claim and no storage class is set");
        else if (storageClass.Provisioner != "kubernetes.io/no-provisioner") await LeaveToProvisionerAsync(claim, storageClass, ct);
        else _events.Normal(claim, "FailedBinding", "no persistent volumes available for this claim and its storage class makes none");
    }

    /// <summary>The claim names a volume: bind it to this one, wait for it, or note that it is lost.</summary>
    private async Task FinishAsync(PersistentVolumeClaim claim, CancellationToken ct)
    {
        var volume = _volumes.Store.Get(claim.Spec.VolumeName);
        if (volume is null)
        {
            if (claim.Status.Phase != "Bound") return;
            var lost = claim.Clone();
            lost.Status.Phase = "Lost";
            await Client.UpdateStatusAsync(lost, ct);
            _events.Warning(claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
            return;
        }
        if (volume.Spec.ClaimRef is not null && !VolumeMatching.IsFor(volume, claim))
        {
            if (claim.Status.Phase != "Bound") return;
            var misbound = claim.Clone();
            misbound.Status.Phase = "Lost";
            await Client.UpdateStatusAsync(misbound, ct);
            _events.Warning(claim, "ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
            return;
        }
        await BindAsync(claim, volume, ct);
    }

    private async Task BindAsync(PersistentVolumeClaim claim, PersistentVolume volume, CancellationToken ct)
    {
        if (volume.Spec.ClaimRef is not { Uid.Length: > 0 })
        {
            var taken = volume.Clone();
            if (taken.Spec.ClaimRef is null) (taken.Metadata.Annotations ??= new Dictionary<string, string>(StringComparer.Ordinal))[BoundByController] = "yes";
            taken.Spec.ClaimRef = EventRecorder.Reference(claim);
            volume = await Client.UpdateAsync(taken, ct);
            _written.Wrote(volume.Metadata.Name, volume);
        }
        await SetPhaseAsync(volume, "Bound", ct);
        if (claim.Spec.VolumeName.Length == 0 || claim.Metadata.Annotations?.ContainsKey(BindCompleted) != true)
        {
            var bound = claim.Clone();
            var annotations = bound.Metadata.Annotations ??= new Dictionary<string, string>(StringComparer.Ordinal);
            if (bound.Spec.VolumeName.Length == 0) annotations[BoundByController] = "yes";
            annotations[BindCompleted] = "yes";
            bound.Spec.VolumeName = volume.Metadata.Name;
            claim = await Client.UpdateAsync(bound, ct);
        }
        var status = claim.Clone();
        status.Status.Phase = "Bound";
        status.Status.AccessModes = volume.Spec.AccessModes;
        status.Status.Capacity = volume.Spec.Capacity;
        if (!ApiStruct.DeepEquals(status.Status, claim.Status)) await Client.UpdateStatusAsync(status, ct);
    }

    private async Task LeaveToProvisionerAsync(PersistentVolumeClaim claim, StorageClass @class, CancellationToken ct)
    {
        if (claim.Metadata.Annotations?.GetValueOrDefault(Provisioner) != @class.Provisioner)
        {
            var marked = claim.Clone();
            var annotations = marked.Metadata.Annotations ??= new Dictionary<string, string>(StringComparer.Ordinal);
            annotations[Provisioner] = annotations["volume.beta.kubernetes.io/storage-provisioner"] = @class.Provisioner;
            await Client.UpdateAsync(marked, ct);
        }
        _events.Normal(claim, "ExternalProvisioning", $"Waiting for a volume to be created either by the external provisioner '{@class.Provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.");
    }

    private async Task SetPhaseAsync(PersistentVolume volume, string phase, CancellationToken ct, string message = "")
    {
        if (volume.Status.Phase == phase || (phase == "Released" && volume.Status.Phase == "Failed")) return;
        var changed = volume.Clone();
        (changed.Status.Phase, changed.Status.Message) = (phase, message);
        var written = await Client.UpdateStatusAsync(changed, ct);
        _written.Wrote(volume.Metadata.Name, written);
    }

    private void VolumeChanged(PersistentVolume volume)
    {
        Queue.Add(VolumePrefix + volume.Metadata.Name);
        if (volume.Spec.ClaimRef is { } reference) Queue.Add(KubeKey.Of(reference.Namespace, reference.Name));
        else EnqueuePending();
    }

    private void VolumeDeleted(PersistentVolume volume)
    {
        _written.Forget(volume.Metadata.Name);
        if (volume.Spec.ClaimRef is { } reference) Queue.Add(KubeKey.Of(reference.Namespace, reference.Name));
    }

    private void ClaimDeleted(PersistentVolumeClaim claim)
    {
        if (claim.Spec.VolumeName.Length > 0) Queue.Add(VolumePrefix + claim.Spec.VolumeName);
    }

    private void EnqueuePending()
    {
        foreach (var claim in _claims.Store.List().Where(c => c.Spec.VolumeName.Length == 0)) Queue.Add(KubeKey.Of(claim));
    }
}
