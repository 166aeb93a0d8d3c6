namespace Hardway.Scheduler.Plugins.NodeResources;

internal enum ScoringType
{
    LeastAllocated,
    MostAllocated,
    RequestedToCapacityRatio,
}

/// <summary>How the used part of a node's resources becomes a score: free is good, used is good, or by a shape of points.</summary>
internal sealed record ScoringStrategy(ScoringType Type, IReadOnlyList<(string Name, int Weight)> Resources)
{
    public static readonly IReadOnlyList<(string Name, int Weight)> DefaultResources = [("cpu", 1), ("memory", 1)];

    public static readonly ScoringStrategy Default = new(ScoringType.LeastAllocated, DefaultResources);

    /// <summary>Points (percent used, score up to 100) in the order of percentages, for RequestedToCapacityRatio.</summary>
    public IReadOnlyList<(int Utilization, int Score)> Shape { get; init; } = [];

    public long Score(long used, long allocatable) => Type switch
    {
        ScoringType.LeastAllocated => used > allocatable ? 0 : (allocatable - used) * 100 / allocatable,
        ScoringType.MostAllocated => Math.Min(used, allocatable) * 100 / allocatable,
        _ => used > allocatable ? AtShape(Shape, 100) : AtShape(Shape, used * 100 / allocatable),
    };

    /// <summary>Between two points on the straight line, outside of them the nearest point's score.</summary>
    public static long AtShape(IReadOnlyList<(int Utilization, int Score)> shape, long percent)
    {
        for (var i = 0; i < shape.Count; i++)
        {
            var (x, y) = shape[i];
            if (percent <= x)
            {
                return i == 0 ? y : shape[i - 1].Score + ((y - shape[i - 1].Score) * (percent - shape[i - 1].Utilization) / (x - shape[i - 1].Utilization));
            }
        }

        return shape.Count == 0 ? 0 : shape[^1].Score;
    }
}
