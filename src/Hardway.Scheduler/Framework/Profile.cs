using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Framework;

/// <summary>A scheduler name with its plugins, in order, sorted by extension point once. Immutable.</summary>
internal sealed class Profile
{
    public Profile(string schedulerName, IReadOnlyList<WeightedPlugin> plugins)
    {
        SchedulerName = schedulerName;
        PreEnqueue = [.. plugins.Select(p => p.Plugin).OfType<IPreEnqueue>()];
        Filters = [.. plugins.Select(p => p.Plugin).OfType<IFilter>()];
        Scores = [.. plugins.Where(p => p.Plugin is IScore && p.Weight > 0)];
        PostFilter = plugins.Select(p => p.Plugin).OfType<IPostFilter>().FirstOrDefault();
        PreBind = [.. plugins.Select(p => p.Plugin).OfType<IPreBind>()];
        Wakes = plugins.ToDictionary(p => p.Plugin.Name, p => p.Plugin.Wakes, StringComparer.Ordinal);
    }

    public string SchedulerName { get; }
    public IReadOnlyList<IPreEnqueue> PreEnqueue { get; }
    public IReadOnlyList<IFilter> Filters { get; }
    public IReadOnlyList<WeightedPlugin> Scores { get; }
    public IPostFilter? PostFilter { get; }
    public IReadOnlyList<IPreBind> PreBind { get; }
    public IReadOnlyDictionary<string, ClusterEvents> Wakes { get; }

    /// <summary>Prepares every filter for a cycle; the first refusal ends it.</summary>
    public Refusal? RunPreFilters(Cycle cycle)
    {
        foreach (var filter in Filters)
        {
            if (filter.PreFilter(cycle) is { } refused)
            {
                return refused;
            }
        }

        return null;
    }

    public Refusal? RunFilters(Cycle cycle, NodeInfo node)
    {
        foreach (var filter in Filters)
        {
            if (filter.Filter(cycle, node) is { } refused)
            {
                return refused;
            }
        }

        return null;
    }
}
