using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Keeps the finalizer pvc-protection on claims and drops it when a claim that is being deleted is used by no Pod (asked live, for the last word). Keys are claims.</summary>
internal sealed class PersistentVolumeClaimProtectionController : ClusterController
{
    private const string Finalizer = "kubernetes.io/pvc-protection";
    private readonly Informer<PersistentVolumeClaim> _claims;
    private readonly Informer<Pod> _pods;

    public PersistentVolumeClaimProtectionController(ControllerContext context) : base("persistentvolumeclaim-protection-controller", "pvc-protection-controller", context)
    {
        Workers = 1;
        _claims = Watch<PersistentVolumeClaim>();
        _pods = Watch<Pod>().AddPodIndexes();
        _claims.AddHandler(c => Queue.Add(KubeKey.Of(c)), (_, c) => Queue.Add(KubeKey.Of(c)));
        _pods.AddHandler(updated: (_, p) => { if (PodState.IsFinished(p)) Changed(p); }, deleted: Changed);
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_claims.Store.Get(key) is not { } claim || Protection.Toggled(claim, Finalizer) is not { } changed) return;
        if (Protection.IsDeleting(claim) && (_pods.Store.List(claim.Metadata.Namespace).Any(p => Uses(p, claim)) || await IsUsedLiveAsync(claim, cancellationToken))) return;
        await Client.UpdateAsync(changed, cancellationToken);
    }

    private async Task<bool> IsUsedLiveAsync(PersistentVolumeClaim claim, CancellationToken ct) =>
        (await Client.ListAsync<Pod>(claim.Metadata.Namespace, null, ct)).Items.Exists(p => Uses(p, claim));

    private static bool Uses(Pod pod, PersistentVolumeClaim claim) =>
        !(PodState.IsFinished(pod)) && pod.Spec.NodeName.Length > 0 && (pod.Spec.Volumes ?? []).Exists(v => v.PersistentVolumeClaim?.ClaimName == claim.Metadata.Name || (v.Ephemeral is not null && $"{pod.Metadata.Name}-{v.Name}" == claim.Metadata.Name));

    private void Changed(Pod pod)
    {
        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            if (volume.PersistentVolumeClaim is { } source) Queue.Add(KubeKey.Of(pod.Metadata.Namespace, source.ClaimName));
            if (volume.Ephemeral is not null) Queue.Add(KubeKey.Of(pod.Metadata.Namespace, $"{pod.Metadata.Name}-{volume.Name}"));
        }
    }
}
