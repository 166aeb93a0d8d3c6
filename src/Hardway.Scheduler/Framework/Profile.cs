using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Framework;

/// <summary>Plugins together with the weight of their score.</summary>
internal sealed record WeightedPlugin(Plugin Plugin, int Weight);

/// <summary>A scheduler name with its plugins, sorted by extension point once. Immutable.</summary>
internal sealed class Profile
{
    /// <param name="schedulerName">The name that Pods give.</param>
    /// <param name="points">The plugins of each point in their order; a plugin that is absent everywhere is not part of the profile.</param>
    public Profile(string schedulerName, IReadOnlyDictionary<ExtensionPoint, IReadOnlyList<WeightedPlugin>> points)
    {
        SchedulerName = schedulerName;
        Plugins = [.. points.Values.SelectMany(p => p).Select(p => p.Plugin).Distinct()];
        for (var i = 0; i < Plugins.Count; i++)
        {
            Plugins[i].Index = i;
        }

        PreEnqueue = At<IPreEnqueue>(points, ExtensionPoint.PreEnqueue);
        QueueSort = At<IQueueSort>(points, ExtensionPoint.QueueSort).FirstOrDefault();
        PreFilters = At<IPreFilter>(points, ExtensionPoint.PreFilter);
        Filters = At<IFilter>(points, ExtensionPoint.Filter);
        PostFilters = At<IPostFilter>(points, ExtensionPoint.PostFilter);
        PreScores = At<IPreScore>(points, ExtensionPoint.PreScore);
        Scores = [.. points.GetValueOrDefault(ExtensionPoint.Score, []).Where(p => p.Weight > 0)];
        Reserves = At<IReserve>(points, ExtensionPoint.Reserve);
        PreBinds = At<IPreBind>(points, ExtensionPoint.PreBind);
        Binds = At<IBind>(points, ExtensionPoint.Bind);
        ByName = Plugins.ToDictionary(p => p.Name, StringComparer.Ordinal);
    }

    public string SchedulerName { get; }
    public IReadOnlyList<Plugin> Plugins { get; }
    public int PluginCount => Plugins.Count;
    public IReadOnlyDictionary<string, Plugin> ByName { get; }
    public IPreEnqueue[] PreEnqueue { get; }
    public IQueueSort? QueueSort { get; }
    public IPreFilter[] PreFilters { get; }
    public IFilter[] Filters { get; }
    public IPostFilter[] PostFilters { get; }
    public IPreScore[] PreScores { get; }
    public WeightedPlugin[] Scores { get; }
    public IReserve[] Reserves { get; }
    public IPreBind[] PreBinds { get; }
    public IBind[] Binds { get; }

    /// <summary>Of this profile's own percentageOfNodesToScore; null: the configuration's.</summary>
    public int? PercentageOfNodesToScore { get; init; }

    /// <summary>Prepares a cycle; the first refusal ends it.</summary>
    public Refusal? RunPreFilters(Cycle cycle)
    {
        Span<bool> skipped = stackalloc bool[PluginCount];
        foreach (var plugin in PreFilters)
        {
            var answer = plugin.PreFilter(cycle);
            if (answer.Refused is { } refused)
            {
                return refused;
            }

            skipped[((Plugin)plugin).Index] = answer.Skips;
            if (answer.Nodes is { } nodes)
            {
                cycle.Narrow(((Plugin)plugin).Name, nodes);
            }
        }

        var filters = new List<IFilter>(Filters.Length);
        foreach (var filter in Filters)
        {
            if (!skipped[((Plugin)filter).Index])
            {
                filters.Add(filter);
            }
        }

        cycle.Filters = [.. filters];
        return null;
    }

    public static Refusal? RunFilters(Cycle cycle, NodeInfo node)
    {
        foreach (var filter in cycle.Filters)
        {
            if (filter.Filter(cycle, node) is { } refused)
            {
                return refused;
            }
        }

        return null;
    }

    /// <summary>A node must also fit once the Pods of at least this importance that preempted room there have come.</summary>
    public Refusal? RunFiltersWithNominated(Cycle cycle, NodeInfo node)
    {
        var coming = cycle.State.Nominated.On(node.Name, cycle.Pod);
        if (coming.Count > 0)
        {
            var later = node.Copy();
            coming.ForEach(later.Add);
            if (Try(cycle, node, later) is { } refused)
            {
                return refused;
            }
        }

        return RunFilters(cycle, node);
    }

    /// <summary>The filters in a cluster where one node is another.</summary>
    public Refusal? Try(Cycle cycle, NodeInfo original, NodeInfo changed)
    {
        var trial = cycle.With(original, changed);
        return RunPreFilters(trial) ?? RunFilters(trial, changed);
    }

    private static T[] At<T>(IReadOnlyDictionary<ExtensionPoint, IReadOnlyList<WeightedPlugin>> points, ExtensionPoint point) where T : class =>
        [.. points.GetValueOrDefault(point, []).Select(p => p.Plugin).OfType<T>()];
}
