using Hardway.Api.Core.V1;
using Hardway.Api.Resource.V1;
using Hardway.Client;
using Microsoft.Extensions.Logging;
using DeviceTaintRule = Hardway.Api.Resource.V1Beta2.DeviceTaintRule;
using ResourceClaim = Hardway.Api.Resource.V1.ResourceClaim;

namespace Hardway.ControllerManager;

/// <summary>
/// Deletes Pods whose allocated devices have a NoExecute taint that the claim does not bear, or no longer (KEP-5055). Taints come from ResourceSlices and,
/// where the server has them, from DeviceTaintRules. Keys are Pods.
/// </summary>
internal sealed partial class DeviceTaintEvictionController : ClusterController
{
    private readonly EventRecorder _events;
    private readonly Informer<Pod> _pods;
    private readonly Informer<ResourceClaim> _claims;
    private readonly Informer<ResourceSlice> _slices;
    private readonly Informer<DeviceTaintRule>? _rules;

    public DeviceTaintEvictionController(ControllerContext context) : base("device-taint-eviction-controller", "device-taint-eviction-controller", context)
    {
        _events = EventsAs("device-taint-eviction");
        _pods = Watch<Pod>();
        _claims = Watch<ResourceClaim>();
        _slices = Watch<ResourceSlice>();
        _pods.AddHandler(added: PodChanged, updated: (old, p) => { if (old.Spec.NodeName != p.Spec.NodeName) PodChanged(p); });
        _claims.AddHandler(ClaimChanged);
        _slices.AddHandler(_ => EnqueueAll());
        if (!context.Serves(ApiResource.Of<DeviceTaintRule>())) return;
        _rules = Watch<DeviceTaintRule>();
        _rules.AddHandler(_ => EnqueueAll());
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_pods.Store.Get(key) is not { Spec.NodeName.Length: > 0 } pod || PodState.IsTerminating(pod) || PodState.IsFinished(pod)) return;
        var now = Time.GetUtcNow();
        if (EvictAt(pod, now) is not { } at) return;
        if (at > now)
        {
            Queue.AddAfter(key, at - now);
            return;
        }
        LogEvicting(Log, key);
        _events.Normal(pod, "DeviceTaintManagerEviction", "the Pod is deleted: a device of it has a taint that it does not bear");
        await PodControl.EvictAsync(Client, pod, "DeletionByDeviceTaintManager", "a device of the Pod has a NoExecute taint", now, cancellationToken);
    }

    private DateTimeOffset? EvictAt(Pod pod, DateTimeOffset now)
    {
        DateTimeOffset? earliest = null;
        var slices = _slices.Store.List();
        var rules = _rules?.Store.List() ?? [];
        foreach (var name in PodResourceClaims.NamesOf(pod))
        {
            if (_claims.Store.Get(pod.Metadata.Namespace, name) is not { Status.Allocation: { } allocation } claim || claim.Status.ReservedFor?.Exists(r => r.Uid == pod.Metadata.Uid) != true) continue;
            foreach (var result in allocation.Devices.Results ?? [])
            {
                if (DeviceTaints.EvictAt(DeviceTaints.Of(result, slices, rules), result.Tolerations ?? [], now) is { } at && (earliest is null || at < earliest)) earliest = at;
            }
        }
        return earliest;
    }

    private void PodChanged(Pod pod)
    {
        if (pod.Spec.NodeName.Length > 0 && (pod.Spec.ResourceClaims is { Count: > 0 } || pod.Status.ExtendedResourceClaimStatus is not null)) Queue.Add(KubeKey.Of(pod));
    }

    private void ClaimChanged(ResourceClaim claim)
    {
        foreach (var consumer in claim.Status.ReservedFor ?? [])
        {
            if (consumer.Resource == "pods") Queue.Add(KubeKey.Of(claim.Metadata.Namespace, consumer.Name));
        }
    }

    private void EnqueueAll()
    {
        foreach (var claim in _claims.Store.List().Where(c => c.Status.Allocation is not null)) ClaimChanged(claim);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "evicting Pod {Key}: a device of it has a NoExecute taint that it does not bear any longer")]
    private static partial void LogEvicting(ILogger logger, string key);
}
