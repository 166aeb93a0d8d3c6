using Hardway.Api.Core.V1;

namespace Hardway.ControllerManager;

/// <summary>
/// How fast nodes may be evicted, zone by zone: at the usual rate where most nodes are ready; where too many are not, slowly in a large zone and not at all in
/// a small one; a zone that is wholly down at the usual rate, unless all zones are: then it is us who cannot see. For one thread.
/// </summary>
internal sealed class EvictionZones(TimeProvider time, ControllerManagerOptions options)
{
    private const int FewestUnready = 3;
    private readonly Dictionary<string, (double Rate, TokenBucket Bucket)> _buckets = new(StringComparer.Ordinal);

    /// <summary>May the node have its evicting taint? <paramref name="isNew"/>: it has none yet, so this counts. False with a wait: try again then; without: when nodes change.</summary>
    public bool MayEvict(Node node, IReadOnlyCollection<Node> all, bool isNew, out TimeSpan wait)
    {
        wait = TimeSpan.Zero;
        var zone = ZoneOf(node);
        var zones = all.GroupBy(ZoneOf, StringComparer.Ordinal).ToDictionary(z => z.Key, z => (Count: z.Count(), Unready: z.Count(n => !NodeHealth.IsReady(n))), StringComparer.Ordinal);
        if (zones.Values.All(z => z.Unready == z.Count)) return false;
        if (!isNew) return true;
        if (!zones.TryGetValue(zone, out var state)) return false;
        var rate = RateOf(state.Count, state.Unready);
        if (rate <= 0)
        {
            wait = options.NodeMonitorPeriod;
            return false;
        }
        if (!_buckets.TryGetValue(zone, out var bucket) || bucket.Rate != rate) _buckets[zone] = bucket = (rate, new TokenBucket(time, rate, 1));
        return bucket.Bucket.TryTake(out wait);
    }

    internal double RateOf(int nodes, int unready)
    {
        if (unready == nodes || unready < FewestUnready || unready < options.UnhealthyZoneThreshold * nodes) return options.NodeEvictionRate;
        return nodes > options.LargeClusterSizeThreshold ? options.SecondaryNodeEvictionRate : 0;
    }

    private static string ZoneOf(Node node)
    {
        var labels = node.Metadata.Labels;
        return $"{labels?.GetValueOrDefault("topology.kubernetes.io/region")}\u0001{labels?.GetValueOrDefault("topology.kubernetes.io/zone")}";
    }
}
