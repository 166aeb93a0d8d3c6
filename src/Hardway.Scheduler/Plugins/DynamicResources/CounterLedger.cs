using Hardway.Api;

namespace Hardway.Scheduler.Plugins.DynamicResources;

/// <summary>What is left of the counters that the devices of a pool share. One search, one thread.</summary>
internal sealed class CounterLedger
{
    private readonly Dictionary<(string Driver, string Pool, string Set, string Counter), Quantity> _left;

    public CounterLedger(DevicePools pools, IEnumerable<DeviceId> used)
    {
        _left = pools.Counters().ToDictionary(c => c.Key, c => c.Value);
        foreach (var id in used)
        {
            if (pools.Find(id) is { } device)
            {
                Take(device, 1);
            }
        }
    }

    public bool Has(PoolDevice device) => Wants(device).All(w => _left.GetValueOrDefault(w.Key) >= w.Value);

    /// <summary>Sign -1 gives it back.</summary>
    public void Take(PoolDevice device, int sign)
    {
        foreach (var (key, value) in Wants(device))
        {
            _left[key] = sign > 0 ? _left.GetValueOrDefault(key) - value : _left.GetValueOrDefault(key) + value;
        }
    }

    private static IEnumerable<((string, string, string, string) Key, Quantity Value)> Wants(PoolDevice device) =>
        from set in device.Device.ConsumesCounters ?? []
        from counter in set.Counters ?? []
        select ((device.Driver, device.Id.Pool, set.CounterSet, counter.Key), counter.Value.Value ?? Quantity.Zero);
}
