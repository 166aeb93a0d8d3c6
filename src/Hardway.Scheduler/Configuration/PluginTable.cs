using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Plugins.Binding;
using Hardway.Scheduler.Plugins.DefaultPreemption;
using Hardway.Scheduler.Plugins.DynamicResources;
using Hardway.Scheduler.Plugins.ImageLocality;
using Hardway.Scheduler.Plugins.InterPodAffinity;
using Hardway.Scheduler.Plugins.NodeAffinity;
using Hardway.Scheduler.Plugins.NodeBasics;
using Hardway.Scheduler.Plugins.NodePorts;
using Hardway.Scheduler.Plugins.NodeResources;
using Hardway.Scheduler.Plugins.PodTopologySpread;
using Hardway.Scheduler.Plugins.Queueing;
using Hardway.Scheduler.Plugins.TaintToleration;
using Hardway.Scheduler.Plugins.Volumes;

namespace Hardway.Scheduler.Configuration;

/// <summary>The plugins, in upstream's order, with upstream's default weights. A new plugin is a line here.</summary>
internal static class PluginTable
{
    private sealed record Row(string Name, int Weight, Type Type, Func<PluginArguments, PluginServices, Plugin> Make);

    private static readonly Row[] s_rows =
    [
        Of("SchedulingGates", 0, (_, _) => new SchedulingGates()),
        Of("PrioritySort", 0, (_, _) => new PrioritySort()),
        Of("NodeUnschedulable", 0, (_, _) => new NodeUnschedulable()),
        Of("NodeName", 0, (_, _) => new NodeName()),
        Of("TaintToleration", 3, (_, _) => new TaintTolerationPlugin()),
        Of("NodeAffinity", 2, (a, _) => new NodeAffinityPlugin(a.AddedAffinity)),
        Of("NodePorts", 0, (_, _) => new NodePortsPlugin()),
        Of("NodeResourcesFit", 1, (a, _) => new NodeResourcesFit(a.Fit, a.IgnoredResources)),
        Of("VolumeRestrictions", 0, (_, _) => new VolumeRestrictions()),
        Of("NodeVolumeLimits", 0, (_, _) => new NodeVolumeLimits()),
        Of("VolumeBinding", 0, (a, s) => new VolumeBinding(s.Volumes(a.VolumeBindTimeout), s.ReservedVolumes)),
        Of("VolumeZone", 0, (_, _) => new VolumeZone()),
        Of("PodTopologySpread", 2, (a, _) => new PodTopologySpreadPlugin(a.SpreadDefaults)),
        Of("InterPodAffinity", 2, (a, _) => new InterPodAffinityPlugin(a.HardPodAffinityWeight, a.IgnorePreferredTermsOfExistingPods)),
        Of("DynamicResources", 0, (_, s) => new DynamicResources(s.Claims, s.PendingDevices)),
        Of("DefaultPreemption", 0, (a, s) => new DefaultPreemptionPlugin(a.MinCandidateNodesPercentage, a.MinCandidateNodesAbsolute, s.Random)),
        Of("NodeResourcesBalancedAllocation", 1, (a, _) => new NodeResourcesBalancedAllocation(a.BalancedResources)),
        Of("ImageLocality", 1, (_, _) => new ImageLocalityPlugin()),
        Of("DefaultBinder", 0, (_, s) => new DefaultBinder(s.Pods)),
    ];

    private static readonly (ExtensionPoint Point, Type Type)[] s_points =
    [
        (ExtensionPoint.PreEnqueue, typeof(IPreEnqueue)), (ExtensionPoint.QueueSort, typeof(IQueueSort)), (ExtensionPoint.PreFilter, typeof(IPreFilter)),
        (ExtensionPoint.Filter, typeof(IFilter)), (ExtensionPoint.PostFilter, typeof(IPostFilter)), (ExtensionPoint.PreScore, typeof(IPreScore)),
        (ExtensionPoint.Score, typeof(IScore)), (ExtensionPoint.Reserve, typeof(IReserve)), (ExtensionPoint.PreBind, typeof(IPreBind)), (ExtensionPoint.Bind, typeof(IBind)),
    ];

    /// <summary>Each plugin's points.</summary>
    public static IReadOnlyDictionary<string, IReadOnlySet<ExtensionPoint>> Points { get; } = s_rows.ToDictionary(
        r => r.Name, r => (IReadOnlySet<ExtensionPoint>)s_points.Where(p => p.Type.IsAssignableFrom(r.Type)).Select(p => p.Point).ToHashSet(), StringComparer.Ordinal);

    public static Profile Make(ProfileConfig config, PluginServices services)
    {
        var made = new Dictionary<string, Plugin>(StringComparer.Ordinal);
        var points = Resolve(config).ToDictionary(
            p => p.Key,
            p => (IReadOnlyList<WeightedPlugin>)[.. p.Value.Select(e => new WeightedPlugin(Plugin(e.Name), e.Weight))]);
        return new Profile(config.SchedulerName, points) { PercentageOfNodesToScore = config.PercentageOfNodesToScore };

        Plugin Plugin(string name) => made.TryGetValue(name, out var plugin) ? plugin : made[name] = Array.Find(s_rows, r => r.Name == name)!.Make(config.Arguments, services);
    }

    /// <summary>
    /// The plugins of each point in their order: first those of MultiPoint that the point names again (with its weight and in its order), then the
    /// other ones of MultiPoint, then those that only the point names.
    /// </summary>
    public static Dictionary<ExtensionPoint, IReadOnlyList<(string Name, int Weight)>> Resolve(ProfileConfig config)
    {
        var everywhere = Everywhere(config.Plugins.GetValueOrDefault(ExtensionPoint.MultiPoint, PluginSetConfig.Empty));
        var resolved = new Dictionary<ExtensionPoint, IReadOnlyList<(string, int)>>();
        foreach (var (point, _) in s_points)
        {
            var set = config.Plugins.GetValueOrDefault(point, PluginSetConfig.Empty);
            var named = set.Enabled.Select(e => (e.Name, Weight: e.Weight > 0 ? e.Weight : Weight(e.Name))).ToList();
            var multi = everywhere.FindAll(e => Points[e.Name].Contains(point) && !set.Disables(e.Name));
            resolved[point] =
            [
                .. named.Where(e => multi.Exists(m => m.Name == e.Name)),
                .. multi.Where(m => !named.Exists(e => e.Name == m.Name)),
                .. named.Where(e => !multi.Exists(m => m.Name == e.Name)),
            ];
        }

        return resolved;
    }

    /// <summary>The defaults without the disabled, with the user's weights in their places, then what the user adds.</summary>
    private static List<(string Name, int Weight)> Everywhere(PluginSetConfig set)
    {
        var kept = Array.FindAll(s_rows, r => !set.Disables(r.Name)).Select(r => (r.Name, r.Weight)).ToList();
        foreach (var (name, weight) in set.Enabled)
        {
            var entry = (name, weight > 0 ? weight : Weight(name));
            var at = kept.FindIndex(k => k.Name == name);
            if (at >= 0)
            {
                kept[at] = entry;
            }
            else
            {
                kept.Add(entry);
            }
        }

        return kept;
    }

    /// <summary>A score plugin that is enabled without a weight weighs 1.</summary>
    private static int Weight(string name) => Math.Max(1, Array.Find(s_rows, r => r.Name == name)!.Weight);

    private static Row Of<T>(string name, int weight, Func<PluginArguments, PluginServices, T> make) where T : Plugin => new(name, weight, typeof(T), (a, s) => make(a, s));
}
