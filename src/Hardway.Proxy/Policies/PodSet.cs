namespace Hardway.Proxy.Policies;

/// <summary>
/// An nft set whose elements come from Pods, kept by deltas: a Pod's change costs what that Pod contributes, whatever the set's size. Two Pods
/// may give one element for a moment (an address that went from one to the other), so elements are counted. One owner.
/// </summary>
/// <param name="name">The set's name in the table.</param>
/// <param name="type">Its type for nft, such as "ipv4_addr".</param>
/// <param name="elements">What a Pod contributes, given its namespace's labels.</param>
internal sealed class PodSet(string name, string type, Func<PodFacts, IReadOnlyDictionary<string, string>?, IEnumerable<string>> elements)
{
    private readonly Dictionary<string, string[]> _byPod = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly HashSet<string> _added = new(StringComparer.Ordinal);
    private readonly HashSet<string> _removed = new(StringComparer.Ordinal);

    public string Name => name;

    public string Type => type;

    /// <summary>All elements.</summary>
    public IReadOnlyCollection<string> Elements => _counts.Keys;

    /// <summary>What came since <see cref="Commit"/>.</summary>
    public IReadOnlyCollection<string> Added => _added;

    /// <summary>What went since <see cref="Commit"/>.</summary>
    public IReadOnlyCollection<string> Removed => _removed;

    public void Update(string key, PodFacts? pod, IReadOnlyDictionary<string, string>? namespaceLabels)
    {
        string[] now = pod is null ? [] : [.. elements(pod, namespaceLabels)];
        var before = _byPod.GetValueOrDefault(key) ?? [];
        if (before.AsSpan().SequenceEqual(now))
        {
            return;
        }

        Array.ForEach(now, Add);
        Array.ForEach(before, Remove);
        if (now.Length > 0)
        {
            _byPod[key] = now;
        }
        else
        {
            _byPod.Remove(key);
        }
    }

    /// <summary>Forgets everything: a set that was out of use has not been kept up.</summary>
    public void Clear()
    {
        _byPod.Clear();
        _counts.Clear();
        Commit();
    }

    /// <summary>The kernel has it all.</summary>
    public void Commit()
    {
        _added.Clear();
        _removed.Clear();
    }

    private void Add(string element)
    {
        var count = _counts.GetValueOrDefault(element);
        _counts[element] = count + 1;
        if (count == 0 && !_removed.Remove(element))
        {
            _added.Add(element);
        }
    }

    private void Remove(string element)
    {
        if (--_counts[element] > 0)
        {
            return;
        }

        _counts.Remove(element);
        if (!_added.Remove(element))
        {
            _removed.Add(element);
        }
    }
}
