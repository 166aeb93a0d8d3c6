using System.Collections.Concurrent;
using Hardway.Api.Resource.V1;
using Hardway.Cel;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Plugins.NodeAffinity;
using Hardway.Scheduler.State;
using ResourceClaim = Hardway.Api.Resource.V1.ResourceClaim;

namespace Hardway.Scheduler.Plugins.DynamicResources;

/// <summary>
/// Claims for devices (KEP-4381): an allocated claim says which nodes can use it; for the others devices are found on the node, kept while the
/// Pod is being bound, and written to the claims together with the reservation for the Pod.
/// </summary>
/// <param name="writer">Writes to claims.</param>
/// <param name="pending">Found and not yet seen in the claim, by the claim's uid. Written under the state's lock, read beside it.</param>
internal sealed class DynamicResources(IClaimWriter writer, ConcurrentDictionary<string, AllocationResult> pending) : Plugin, IPreFilter, IFilter, IReserve, IPreBind
{
    private const int MaxConsumers = 256;
    private readonly Refusal _elsewhere = Never("resourceclaim not available on the node");
    private readonly Refusal _none = new(RefusalKind.Unschedulable, nameof(DynamicResources), "cannot allocate all claims");
    private readonly DeviceSelectors _selectors = new();

    private readonly ConcurrentDictionary<string, List<ResourceClaim>> _ofPod = new(StringComparer.Ordinal);

    private sealed record State(List<ResourceClaim> Claims, List<ResourceClaim> Unallocated)
    {
        /// <summary>Made when the first node is looked at.</summary>
        public DevicePools? Pools { get; set; }

        public HashSet<DeviceId>? Used { get; set; }
    }

    public override string Name => nameof(DynamicResources);

    public override ClusterEvents Wakes =>
        ClusterEvents.ResourceClaims | ClusterEvents.ResourceSlices | ClusterEvents.DeviceClasses | ClusterEvents.NodeAdded | ClusterEvents.NodeLabels | ClusterEvents.PodItself;

    public PreFilterAnswer PreFilter(Cycle cycle)
    {
        var pod = cycle.Pod.Pod;
        if (pod.Spec.ResourceClaims is not { Count: > 0 } wanted)
        {
            return PreFilterAnswer.Skip;
        }

        var claims = new List<ResourceClaim>();
        foreach (var reference in wanted)
        {
            var name = reference.ResourceClaimName ?? (pod.Status.ResourceClaimStatuses ?? []).Find(s => s.Name == reference.Name)?.ResourceClaimName;
            if (name is not { Length: > 0 })
            {
                return Never($"waiting for the resourceclaim of pod claim \"{reference.Name}\" to be made");
            }

            if (Check(cycle, name, out var claim) is { } refused)
            {
                return refused;
            }

            claims.Add(claim!);
        }

        cycle.Keep(this, new State(claims, claims.FindAll(c => c.Status.Allocation is null)));
        return PreFilterAnswer.Go;
    }

    public Refusal? Filter(Cycle cycle, NodeInfo node) => Find(cycle, node, out _);

    public Refusal? Reserve(Cycle cycle, NodeInfo node)
    {
        if (Find(cycle, node, out var found) is { } refused)
        {
            return refused;
        }

        if (cycle.Kept<State>(this) is { } state)
        {
            for (var i = 0; i < state.Unallocated.Count; i++)
            {
                pending[state.Unallocated[i].Metadata.Uid] = found![i];
            }

            _ofPod[cycle.Pod.Key] = state.Claims;
        }

        return null;
    }

    public void Unreserve(PodInfo pod)
    {
        if (_ofPod.TryRemove(pod.Key, out var claims))
        {
            claims.ForEach(c => pending.TryRemove(c.Metadata.Uid, out _));
        }
    }

    public async Task<Refusal?> PreBindAsync(PodInfo pod, string node, CancellationToken cancel)
    {
        if (!_ofPod.TryGetValue(pod.Key, out var claims))
        {
            return null;
        }

        foreach (var claim in claims)
        {
            await writer.ReserveAsync(claim, pending.GetValueOrDefault(claim.Metadata.Uid), pod, cancel).ConfigureAwait(false);
        }

        _ofPod.TryRemove(pod.Key, out _); // what is pending goes when the claims are seen with it
        return null;
    }

    private static Refusal Never(string reason) => new(RefusalKind.UnschedulableAndUnresolvable, nameof(DynamicResources), reason);

    private Refusal? Check(Cycle cycle, string name, out ResourceClaim? claim)
    {
        claim = cycle.Listers.ResourceClaim(cycle.Pod.Namespace, name);
        if (claim is null)
        {
            return Never($"resourceclaim \"{name}\" not found");
        }

        if (claim.Metadata.DeletionTimestamp is not null)
        {
            return Never($"resourceclaim \"{name}\" is being deleted");
        }

        var mine = claim.Status.ReservedFor?.Exists(r => r.Uid == cycle.Pod.Uid) == true;
        if (claim.Status.Allocation is not null)
        {
            return mine || (claim.Status.ReservedFor?.Count ?? 0) < MaxConsumers ? null : new Refusal(RefusalKind.Unschedulable, Name, "resourceclaim in use");
        }

        if (pending.ContainsKey(claim.Metadata.Uid))
        {
            return Never($"resource claim {claim.Metadata.Name} is in the process of being allocated");
        }

        foreach (var request in claim.Spec.Devices.Requests ?? [])
        {
            if (request.Exactly is { } exactly && cycle.Listers.DeviceClass(exactly.DeviceClassName) is null)
            {
                return Never($"request {request.Name}: device class {exactly.DeviceClassName} does not exist");
            }
        }

        return null;
    }

    private Refusal? Find(Cycle cycle, NodeInfo node, out List<AllocationResult>? found)
    {
        found = [];
        if (cycle.Kept<State>(this) is not { } state)
        {
            return null;
        }

        foreach (var claim in state.Claims)
        {
            if (claim.Status.Allocation?.NodeSelector is { } selector && !NodeSelectors.Matches(selector, node))
            {
                return _elsewhere;
            }
        }

        if (state.Unallocated.Count == 0)
        {
            return null;
        }

        try
        {
            state.Pools ??= new DevicePools(cycle.Listers.ResourceSlices());
            state.Used ??= Used(cycle.Listers);
            found = new DeviceAllocator(node, state.Pools, state.Used, cycle.Listers, _selectors).Allocate(state.Unallocated);
            return found is null ? _none : null;
        }
        catch (Exception e) when (e is CelException or CelSyntaxException)
        {
            return new Refusal(RefusalKind.Unschedulable, Name, $"a device selector: {e.Message}");
        }
    }

    /// <summary>Devices of allocated claims, and of those that will be.</summary>
    private HashSet<DeviceId> Used(IClusterListers listers)
    {
        var used = new HashSet<DeviceId>();
        foreach (var claim in listers.ResourceClaims())
        {
            if (claim.Status.Allocation is { } allocation)
            {
                pending.TryRemove(claim.Metadata.Uid, out _);
                Add(allocation, used);
            }
        }

        foreach (var allocation in pending.Values)
        {
            Add(allocation, used);
        }

        return used;
    }

    private static void Add(AllocationResult allocation, HashSet<DeviceId> used)
    {
        foreach (var result in allocation.Devices.Results ?? [])
        {
            if (result.AdminAccess != true)
            {
                used.Add(new DeviceId(result.Driver, result.Pool, result.Device));
            }
        }
    }
}
