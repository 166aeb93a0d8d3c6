using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Hands the growth of a bound claim to who can do it: names the volume's CSI driver as resizer on the claim and tells so; the driver's own resizer grows the
/// volume. No kind of volume without a driver can grow; a claim on one is told. Keys are claims.
/// </summary>
internal sealed class PersistentVolumeExpanderController : ClusterController
{
    internal const string Resizer = "volume.kubernetes.io/storage-resizer";
    private readonly EventRecorder _events;
    private readonly Informer<PersistentVolumeClaim> _claims;
    private readonly Informer<PersistentVolume> _volumes;

    public PersistentVolumeExpanderController(ControllerContext context) : base("persistentvolume-expander-controller", "expand-controller", context)
    {
        _events = EventsAs("volume_expand");
        _claims = Watch<PersistentVolumeClaim>();
        _volumes = Watch<PersistentVolume>();
        _claims.AddHandler(added: Changed, updated: (_, c) => Changed(c));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_claims.Store.Get(key) is not { } claim || !WantsMore(claim)) return;
        if (_volumes.Store.Get(claim.Spec.VolumeName) is not { } volume || volume.Spec.ClaimRef?.Uid != claim.Metadata.Uid) return;
        if (volume.Spec.Csi?.Driver is not { Length: > 0 } driver)
        {
            _events.Normal(claim, "ExternalExpanding", "the volume has no CSI driver that could expand it: waiting for somebody who can");
            return;
        }
        if (claim.Metadata.Annotations?.GetValueOrDefault(Resizer) != driver)
        {
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = claim.Metadata.Uid, ["annotations"] = new JsonObject { [Resizer] = driver } } };
            await Client.PatchAsync<PersistentVolumeClaim>(claim.Metadata.Namespace, claim.Metadata.Name, PatchType.StrategicMerge, Encoding.UTF8.GetBytes(patch.ToJsonString()), cancellationToken, "status");
        }
        _events.Normal(claim, "ExternalExpanding", $"waiting for the resizer of {driver} to expand the volume");
    }

    internal static bool WantsMore(PersistentVolumeClaim claim) =>
        claim.Status.Phase == "Bound" && VolumeMatching.Requested(claim) is { } wanted && claim.Status.Capacity is { } capacity && capacity.TryGetValue("storage", out var has) && wanted > has;

    private void Changed(PersistentVolumeClaim claim)
    {
        if (WantsMore(claim)) Queue.Add(KubeKey.Of(claim));
    }
}
