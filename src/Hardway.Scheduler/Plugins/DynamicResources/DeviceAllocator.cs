using Hardway.Api.Core.V1;
using Hardway.Api.Resource.V1;
using Hardway.Scheduler.State;
using ResourceClaim = Hardway.Api.Resource.V1.ResourceClaim;

namespace Hardway.Scheduler.Plugins.DynamicResources;

/// <summary>
/// Finds devices on one node for claims that have none, by trying: for each request the devices in their order, back one step where a later
/// request finds nothing. One search, one thread; the number of steps is bounded.
/// </summary>
internal sealed class DeviceAllocator(NodeInfo node, DevicePools pools, IReadOnlySet<DeviceId> used, IClusterListers listers, DeviceSelectors selectors)
{
    private const int MaxSteps = 100_000;
    private readonly List<PoolDevice> _devices = pools.On(node);
    private readonly HashSet<DeviceId> _taken = [.. used];
    private readonly CounterLedger _counters = new(pools, used);
    private readonly List<(int Claim, DeviceRequest Request)> _requests = [];
    private readonly List<Pick> _picks = [];
    private IReadOnlyList<ResourceClaim> _claims = [];
    private int _steps;

    private sealed record Pick(int Claim, string Request, string Main, PoolDevice Device, DeviceNeed Need);

    /// <summary>One result a claim; null when the node does not have what they ask for.</summary>
    public List<AllocationResult>? Allocate(IReadOnlyList<ResourceClaim> claims)
    {
        _claims = claims;
        for (var i = 0; i < claims.Count; i++)
        {
            _requests.AddRange((claims[i].Spec.Devices.Requests ?? []).Select(r => (i, r)));
        }

        return Try(0) ? [.. claims.Select((c, i) => Result(c, _picks.FindAll(p => p.Claim == i)))] : null;
    }

    private bool Try(int at)
    {
        if (at == _requests.Count)
        {
            return true;
        }

        var (claim, request) = _requests[at];
        foreach (var need in DeviceNeed.Of(request, listers))
        {
            var candidates = _devices.FindAll(d => need.Tolerates(d.Device) && selectors.Match(need.Selectors, d.Driver, d.Device));
            if (need.All ? TakeAll(at, claim, request.Name, need, candidates) : TakeSome(at, claim, request.Name, need, candidates, 0, need.Count))
            {
                return true;
            }
        }

        return false;
    }

    private bool TakeAll(int at, int claim, string main, DeviceNeed need, List<PoolDevice> candidates)
    {
        var before = _picks.Count;
        if (candidates.Count > 0 && candidates.TrueForAll(d => Take(claim, main, need, d)) && Try(at + 1))
        {
            return true;
        }

        while (_picks.Count > before)
        {
            PutBack();
        }

        return false;
    }

    private bool TakeSome(int at, int claim, string main, DeviceNeed need, List<PoolDevice> candidates, int from, long count)
    {
        if (count == 0)
        {
            return Try(at + 1);
        }

        for (var i = from; i < candidates.Count && ++_steps < MaxSteps; i++)
        {
            if (!Take(claim, main, need, candidates[i]))
            {
                continue;
            }

            if (TakeSome(at, claim, main, need, candidates, i + 1, count - 1))
            {
                return true;
            }

            PutBack();
        }

        return false;
    }

    /// <summary>Access for administration takes nothing away from others, and gets what others have.</summary>
    private bool Take(int claim, string main, DeviceNeed need, PoolDevice device)
    {
        if (!need.AdminAccess && (_taken.Contains(device.Id) || !_counters.Has(device)))
        {
            return false;
        }

        var pick = new Pick(claim, need.Name, main, device, need);
        _picks.Add(pick);
        if (!(_claims[claim].Spec.Devices.Constraints ?? []).TrueForAll(c => Satisfied(claim, c)))
        {
            _picks.RemoveAt(_picks.Count - 1);
            return false;
        }

        if (!need.AdminAccess)
        {
            _taken.Add(device.Id);
            _counters.Take(device, 1);
        }

        return true;
    }

    private void PutBack()
    {
        var pick = _picks[^1];
        _picks.RemoveAt(_picks.Count - 1);
        if (!pick.Need.AdminAccess)
        {
            _taken.Remove(pick.Device.Id);
            _counters.Take(pick.Device, -1);
        }
    }

    /// <summary>Without requests a constraint is for all of the claim.</summary>
    private bool Satisfied(int claim, DeviceConstraint constraint)
    {
        var meant = _picks.FindAll(p => p.Claim == claim && (constraint.Requests is not { Count: > 0 } names || names.Contains(p.Main) || names.Contains(p.Request)));
        var attribute = constraint.MatchAttribute ?? constraint.DistinctAttribute;
        if (attribute is null)
        {
            return true;
        }

        var values = meant.ConvertAll(p => DeviceAttributes.Comparable(p.Device, attribute));
        return !values.Contains(null) && values.Distinct(StringComparer.Ordinal).Count() == (constraint.MatchAttribute is not null ? Math.Min(1, values.Count) : values.Count);
    }

    private AllocationResult Result(ResourceClaim claim, List<Pick> picks)
    {
        var result = new AllocationResult { NodeSelector = Selector(picks) };
        result.Devices.Results = picks.ConvertAll(p => new DeviceRequestAllocationResult
        {
            Request = p.Request,
            Driver = p.Device.Driver,
            Pool = p.Device.Id.Pool,
            Device = p.Device.Id.Device,
            AdminAccess = p.Need.AdminAccess ? true : null,
            Tolerations = p.Need.Tolerations is { Count: > 0 } tolerations ? tolerations : null,
            BindingConditions = p.Device.Device.BindingConditions,
            BindingFailureConditions = p.Device.Device.BindingFailureConditions,
        });
        result.Devices.Config = [.. ClassConfig(picks), .. ClaimConfig(claim)];
        return result;
    }

    private IEnumerable<DeviceAllocationConfiguration> ClassConfig(List<Pick> picks) =>
        from pick in picks.DistinctBy(p => p.Request)
        from config in listers.DeviceClass(pick.Need.ClassName)?.Spec.Config ?? []
        select new DeviceAllocationConfiguration { Source = "FromClass", Requests = [pick.Request], Opaque = config.Opaque };

    private static IEnumerable<DeviceAllocationConfiguration> ClaimConfig(ResourceClaim claim) =>
        (claim.Spec.Devices.Config ?? []).Select(c => new DeviceAllocationConfiguration { Source = "FromClaim", Requests = c.Requests, Opaque = c.Opaque });

    /// <summary>Where Pods can use the claim: on this node, unless all devices are reached over the network.</summary>
    private NodeSelector? Selector(List<Pick> picks)
    {
        var terms = new List<NodeSelectorTerm>();
        foreach (var device in picks.Select(p => p.Device))
        {
            var spec = device.Slice.Spec;
            var (local, selector) = spec.PerDeviceNodeSelection == true ? (device.Device.NodeName, device.Device.NodeSelector) : (spec.NodeName, spec.NodeSelector);
            if (local is { Length: > 0 })
            {
                return new NodeSelector
                {
                    NodeSelectorTerms = [new NodeSelectorTerm { MatchFields = [new NodeSelectorRequirement { Key = "metadata.name", Operator = "In", Values = [node.Name] }] }],
                };
            }

            terms.AddRange(selector?.NodeSelectorTerms ?? []);
        }

        // All of them must hold: requirements of single terms are joined into one.
        return terms.Count == 0 ? null : new NodeSelector
        {
            NodeSelectorTerms =
            [
                new NodeSelectorTerm
                {
                    MatchExpressions = [.. terms.SelectMany(t => t.MatchExpressions ?? [])],
                    MatchFields = [.. terms.SelectMany(t => t.MatchFields ?? [])],
                },
            ],
        };
    }
}
