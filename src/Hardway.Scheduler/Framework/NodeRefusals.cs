using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Framework;

/// <summary>Why the nodes of a cycle refused the Pod: those looked at each for itself, all others together.</summary>
internal sealed class NodeRefusals
{
    private readonly Dictionary<string, Refusal> _byNode = new(StringComparer.Ordinal);

    /// <summary>Of the nodes that no filter saw; null when there are none.</summary>
    public Refusal? Others { get; set; }

    public IReadOnlyDictionary<string, Refusal> ByNode => _byNode;

    public Refusal? this[string node] => _byNode.GetValueOrDefault(node) ?? Others;

    public void Add(NodeInfo node, Refusal refusal) => _byNode[node.Name] = refusal;

    /// <summary>The plugins that refused, whose events wake the Pod.</summary>
    public HashSet<string> Plugins { get; } = new(StringComparer.Ordinal);

    public void Collect()
    {
        foreach (var refusal in _byNode.Values)
        {
            Plugins.Add(refusal.Plugin);
        }
    }

    /// <summary>How many of the nodes gave each reason.</summary>
    public Dictionary<string, int> Histogram(int nodes)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var refusal in _byNode.Values)
        {
            Count(refusal, 1);
        }

        if (Others is not null && nodes > _byNode.Count)
        {
            Count(Others, nodes - _byNode.Count);
        }

        return counts;

        void Count(Refusal refusal, int times)
        {
            foreach (var reason in refusal.Reasons)
            {
                counts[reason] = counts.GetValueOrDefault(reason) + times;
            }
        }
    }
}
