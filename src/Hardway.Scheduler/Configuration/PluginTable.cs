using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Plugins.DefaultPreemption;
using Hardway.Scheduler.Plugins.ImageLocality;
using Hardway.Scheduler.Plugins.InterPodAffinity;
using Hardway.Scheduler.Plugins.NodeAffinity;
using Hardway.Scheduler.Plugins.NodeBasics;
using Hardway.Scheduler.Plugins.NodePorts;
using Hardway.Scheduler.Plugins.NodeResources;
using Hardway.Scheduler.Plugins.PodTopologySpread;
using Hardway.Scheduler.Plugins.SchedulingGates;
using Hardway.Scheduler.Plugins.TaintToleration;
using Hardway.Scheduler.Plugins.Volumes;

namespace Hardway.Scheduler.Configuration;

/// <summary>The plugins, in upstream's order, with upstream's default weights. A new plugin is a line here.</summary>
internal static class PluginTable
{
    private static readonly (string Name, int Weight, Func<ProfileConfig, IVolumeBinder, Func<Profile>, Plugin> Make)[] s_rows =
    [
        ("SchedulingGates", 0, (_, _, _) => new SchedulingGates()),
        ("NodeUnschedulable", 0, (_, _, _) => new NodeUnschedulable()),
        ("NodeName", 0, (_, _, _) => new NodeName()),
        ("TaintToleration", 3, (_, _, _) => new TaintTolerationPlugin()),
        ("NodeAffinity", 2, (_, _, _) => new NodeAffinityPlugin()),
        ("NodePorts", 0, (_, _, _) => new NodePortsPlugin()),
        ("NodeResourcesFit", 1, (c, _, _) => new NodeResourcesFit(c.FitStrategy, c.FitResources)),
        ("VolumeBinding", 0, (_, binder, _) => new VolumeBinding(binder)),
        ("PodTopologySpread", 2, (c, _, _) => new PodTopologySpreadPlugin(c.SystemSpreadDefaults)),
        ("InterPodAffinity", 2, (c, _, _) => new InterPodAffinityPlugin(c.HardPodAffinityWeight)),
        ("DefaultPreemption", 0, (_, _, profile) => new DefaultPreemptionPlugin(profile)),
        ("NodeResourcesBalancedAllocation", 1, (c, _, _) => new NodeResourcesBalancedAllocation(c.BalancedResources)),
        ("ImageLocality", 1, (_, _, _) => new ImageLocalityPlugin()),
    ];

    /// <summary>PrioritySort and DefaultBinder are the queue's order and the writer's binding: always on.</summary>
    public static IReadOnlySet<string> Names { get; } = new HashSet<string>([.. s_rows.Select(r => r.Name), "PrioritySort", "DefaultBinder"], StringComparer.Ordinal);

    public static Profile Make(ProfileConfig config, IVolumeBinder binder)
    {
        Profile? profile = null;
        var plugins = new List<WeightedPlugin>();
        foreach (var (name, weight, make) in s_rows)
        {
            var off = config.Disabled.Contains(name) || config.Disabled.Contains("*");
            if (off && !config.Enabled.Contains(name))
            {
                continue;
            }

            var scores = config.Weights.ContainsKey(name) || !(config.ScoreDisabled.Contains(name) || config.ScoreDisabled.Contains("*"));
            plugins.Add(new(make(config, binder, () => profile!), scores ? config.Weights.GetValueOrDefault(name, weight) : 0));
        }

        profile = new Profile(config.SchedulerName, plugins);
        return profile;
    }
}
