using Hardway.Api;

namespace Hardway.Kubelet.Eviction;

/// <summary>A threshold that is crossed (for as long as its grace period asks), and what was read when it was.</summary>
internal sealed record CrossedThreshold(EvictionThreshold Threshold, SignalReading Reading);

/// <summary>
/// What the readings mean over time. A threshold is crossed when less than its value is left; once crossed, it stays so until the minimum
/// reclaim above it is free as well. A condition is on while one of its thresholds is, and stays on for the transition period after
/// that, so that it does not flap. The conditions may be read by any thread.
/// <code>
///   available   ── value + minReclaim ──────────── (left again only here)
///               ── value ───────────── crossed from here on; acted upon after the grace period
/// </code>
/// </summary>
internal sealed class PressureState(IReadOnlyList<EvictionThreshold> thresholds, TimeSpan transition, TimeProvider time)
{
    private readonly Dictionary<EvictionThreshold, DateTimeOffset> _crossedSince = [];
    private readonly Dictionary<string, DateTimeOffset> _lastOn = new(StringComparer.Ordinal);
    private volatile IReadOnlySet<string> _conditions = new HashSet<string>();

    /// <summary>The node conditions that are on: MemoryPressure, DiskPressure, PIDPressure.</summary>
    public IReadOnlySet<string> Conditions => _conditions;

    /// <summary>Takes new readings; returns the thresholds that ask for action now.</summary>
    public IReadOnlyList<CrossedThreshold> Observe(IReadOnlyDictionary<EvictionSignal, SignalReading> readings)
    {
        var now = time.GetUtcNow();
        var due = new List<CrossedThreshold>();
        foreach (var threshold in thresholds)
        {
            if (!readings.TryGetValue(threshold.Signal, out var reading))
                continue;
            if (!IsCrossed(threshold, reading))
            {
                _crossedSince.Remove(threshold);
                continue;
            }
            _crossedSince.TryAdd(threshold, now);
            // The condition is told as soon as a threshold is crossed; the grace period only delays the eviction.
            _lastOn[threshold.Signal.Condition()] = now;
            if (now - _crossedSince[threshold] >= threshold.Grace)
                due.Add(new CrossedThreshold(threshold, reading));
        }
        _conditions = _lastOn.Where(c => now - c.Value < transition || c.Value == now).Select(c => c.Key).ToHashSet(StringComparer.Ordinal);
        return due;
    }

    private bool IsCrossed(EvictionThreshold threshold, SignalReading reading)
    {
        var value = threshold.Value.Of(reading.Capacity);
        if (_crossedSince.ContainsKey(threshold) && threshold.MinReclaim is { } more)
            value += more.Of(reading.Capacity);
        return reading.Available < value;
    }
}
