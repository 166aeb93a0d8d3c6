namespace Hardway.Scheduler.State;

/// <summary>Numbers for topology domains: for each node label, a number for each of its values. One cycle, one thread.</summary>
internal sealed class DomainSums
{
    private readonly List<(string Key, Dictionary<string, long> Values)> _keys = [];

    public bool IsEmpty => _keys.Count == 0;

    /// <summary>Adds for the domain that the node is in by this label; a node without the label is in none.</summary>
    public void Add(string key, NodeInfo node, long amount)
    {
        if (node.Labels?.TryGetValue(key, out var value) == true)
        {
            var values = Values(key);
            values[value!] = values.GetValueOrDefault(value!) + amount;
        }
    }

    public long Of(string key, NodeInfo node)
    {
        foreach (var (known, values) in _keys)
        {
            if (known == key)
            {
                return node.Labels?.TryGetValue(key, out var value) == true ? values.GetValueOrDefault(value!) : 0;
            }
        }

        return 0;
    }

    /// <summary>The sum over all domains the node is in.</summary>
    public long Of(NodeInfo node)
    {
        long sum = 0;
        foreach (var (key, values) in _keys)
        {
            sum += node.Labels?.TryGetValue(key, out var value) == true ? values.GetValueOrDefault(value!) : 0;
        }

        return sum;
    }

    private Dictionary<string, long> Values(string key)
    {
        foreach (var (known, values) in _keys)
        {
            if (known == key)
            {
                return values;
            }
        }

        var made = new Dictionary<string, long>(StringComparer.Ordinal);
        _keys.Add((key, made));
        return made;
    }
}
