using System.Runtime.InteropServices;

namespace Hardway.Scheduler.State;

internal enum TermKind
{
    Affinity,
    AntiAffinity,
    PreferredAffinity,
    PreferredAntiAffinity,
}

/// <summary>
/// The affinity terms of all bound Pods, each distinct term once with the nodes where Pods have it: replicas share their terms, so that a cycle
/// looks at a few terms and not at every Pod. Guarded by the state's lock.
/// </summary>
internal sealed class TermIndex
{
    private readonly Dictionary<string, IndexedTerm>[] _byKind = [.. Enum.GetValues<TermKind>().Select(_ => new Dictionary<string, IndexedTerm>(StringComparer.Ordinal))];

    internal sealed record IndexedTerm(AffinityTerm Term)
    {
        /// <summary>How many Pods of the node have it.</summary>
        public Dictionary<NodeInfo, int> Nodes { get; } = [];
    }

    public IReadOnlyCollection<IndexedTerm> Of(TermKind kind) => _byKind[(int)kind].Values;

    public bool IsEmpty(TermKind kind) => _byKind[(int)kind].Count == 0;

    public void Add(NodeInfo node, PodInfo pod) => Count(node, pod, 1);

    public void Remove(NodeInfo node, PodInfo pod) => Count(node, pod, -1);

    private void Count(NodeInfo node, PodInfo pod, int by)
    {
        if (!pod.HasAffinity)
        {
            return;
        }

        for (var kind = TermKind.Affinity; kind <= TermKind.PreferredAntiAffinity; kind++)
        {
            foreach (var term in pod.Terms(kind))
            {
                Count(_byKind[(int)kind], node, term, by);
            }
        }
    }

    private static void Count(Dictionary<string, IndexedTerm> terms, NodeInfo node, AffinityTerm term, int by)
    {
        if (!terms.TryGetValue(term.Key, out var indexed))
        {
            terms[term.Key] = indexed = new IndexedTerm(term);
        }

        ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(indexed.Nodes, node, out _);
        count += by;
        if (count <= 0)
        {
            indexed.Nodes.Remove(node);
        }

        if (indexed.Nodes.Count == 0)
        {
            terms.Remove(term.Key);
        }
    }
}
