using Hardway.Api.Resource.V1;
using Hardway.Scheduler.Plugins.NodeAffinity;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.DynamicResources;

/// <summary>A device by its three names.</summary>
internal readonly record struct DeviceId(string Driver, string Pool, string Device);

/// <summary>A device with the slice it is in.</summary>
internal sealed record PoolDevice(ResourceSlice Slice, Device Device)
{
    public string Driver => Slice.Spec.Driver;

    public DeviceId Id { get; } = new(Slice.Spec.Driver, Slice.Spec.Pool.Name, Device.Name);
}

/// <summary>The pools of a cluster as of one cycle: only the newest generation of each counts, and only when all of its slices are there.</summary>
internal sealed class DevicePools
{
    private readonly List<ResourceSlice> _slices = [];
    private readonly Dictionary<DeviceId, PoolDevice> _byId = [];

    public DevicePools(IEnumerable<ResourceSlice> slices)
    {
        foreach (var pool in slices.GroupBy(s => (s.Spec.Driver, s.Spec.Pool.Name)).OrderBy(p => p.Key.Driver, StringComparer.Ordinal).ThenBy(p => p.Key.Name, StringComparer.Ordinal))
        {
            var newest = pool.Max(s => s.Spec.Pool.Generation);
            var current = pool.Where(s => s.Spec.Pool.Generation == newest).OrderBy(s => s.Metadata.Name, StringComparer.Ordinal).ToList();
            if (current.Count == current[0].Spec.Pool.ResourceSliceCount)
            {
                _slices.AddRange(current);
            }
        }

        foreach (var device in _slices.SelectMany(s => (s.Spec.Devices ?? []).Select(d => new PoolDevice(s, d))))
        {
            _byId[device.Id] = device;
        }
    }

    public PoolDevice? Find(DeviceId id) => _byId.GetValueOrDefault(id);

    /// <summary>Devices that a Pod on this node can have.</summary>
    public List<PoolDevice> On(NodeInfo node) => [.. _byId.Values.Where(d => Reaches(d, node))];

    /// <summary>What the pool has of each counter that its devices share (KEP-4815); empty for a pool without.</summary>
    public IEnumerable<((string Driver, string Pool, string Set, string Counter) Key, Api.Quantity Value)> Counters() =>
        from slice in _slices
        from set in slice.Spec.SharedCounters ?? []
        from counter in set.Counters ?? []
        select ((slice.Spec.Driver, slice.Spec.Pool.Name, set.Name, counter.Key), counter.Value.Value ?? Api.Quantity.Zero);

    private static bool Reaches(PoolDevice device, NodeInfo node)
    {
        var spec = device.Slice.Spec;
        return spec.PerDeviceNodeSelection == true
            ? Reaches(device.Device.NodeName, device.Device.AllNodes, device.Device.NodeSelector, node)
            : Reaches(spec.NodeName, spec.AllNodes, spec.NodeSelector, node);
    }

    private static bool Reaches(string? name, bool? all, Api.Core.V1.NodeSelector? selector, NodeInfo node) =>
        all == true || name == node.Name || (selector is not null && NodeSelectors.Matches(selector, node));
}
