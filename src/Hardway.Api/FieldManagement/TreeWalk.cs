namespace Hardway.Api.FieldManagement;

/// <summary>What differs between two trees, by field path.</summary>
public sealed record TreeDifference(FieldSet Added, FieldSet Modified, FieldSet Removed)
{
    public bool IsNone => Added.IsEmpty && Modified.IsEmpty && Removed.IsEmpty;
}

/// <summary>
/// Walks JSON trees along a merge type: the set of fields, the difference of two trees, the merge of an applied
/// configuration into a live object, and the removal of fields. Trees given are not changed; results may share their parts.
/// </summary>
public static class TreeWalk
{
    /// <summary>The fields that a configuration sets.</summary>
    /// <exception cref="ApplyException">A keyed list has two items of the same key or an item without a key.</exception>
    public static FieldSet Fields(object? tree, MergeType type)
    {
        var set = new FieldSet();
        Collect(tree, type, set, "");
        return set;
    }

    public static TreeDifference Compare(object? before, object? after, MergeType type)
    {
        var difference = new TreeDifference(new FieldSet(), new FieldSet(), new FieldSet());
        Compare(before, true, after, true, type, difference.Added, difference.Modified, difference.Removed);
        return difference;
    }

    /// <summary>The live tree with the configuration laid over it.</summary>
    public static object? Merge(object? live, object? config, MergeType type)
    {
        switch (type.Kind)
        {
            case MergeKind.Granular when config is Dictionary<string, object?> over && live is Dictionary<string, object?> under && over.Count > 0:
                var map = new Dictionary<string, object?>(under, StringComparer.Ordinal);
                foreach (var (key, value) in over)
                {
                    map[key] = Merge(under.GetValueOrDefault(key), value, type.Field(key) ?? MergeType.Atomic);
                }

                return map;
            case MergeKind.Granular when config is Dictionary<string, object?> { Count: 0 } && live is Dictionary<string, object?>:
                return live;
            case MergeKind.Keyed or MergeKind.Set when config is List<object?> over:
                return MergeLists(live as List<object?> ?? [], over, type);
            default:
                return config;
        }
    }

    /// <summary>The tree without the fields of the set and all below them; containers that lose everything go as well.</summary>
    public static object? Remove(object? tree, FieldSet fields, MergeType type)
    {
        switch (tree)
        {
            case Dictionary<string, object?> map when type.Kind == MergeKind.Granular:
                var kept = new Dictionary<string, object?>(StringComparer.Ordinal);
                foreach (var (key, value) in map)
                {
                    var child = fields.Child(PathElement.Field(key));
                    if (child is null)
                    {
                        kept[key] = value;
                    }
                    else if (!child.IsMember)
                    {
                        kept[key] = Remove(value, child, type.Field(key) ?? MergeType.Atomic);
                    }
                }

                return kept.Count == 0 && map.Count > 0 ? null : kept;
            case List<object?> list when type.Kind is MergeKind.Keyed or MergeKind.Set:
                var items = new List<object?>();
                for (var i = 0; i < list.Count; i++)
                {
                    var child = fields.Child(StepOf(list[i], i, type));
                    if (child is null)
                    {
                        items.Add(list[i]);
                    }
                    else if (!child.IsMember)
                    {
                        items.Add(Remove(list[i], child, type.Item));
                    }
                }

                return items.Count == 0 && list.Count > 0 ? null : items;
            default:
                return tree;
        }
    }

    private static void Collect(object? tree, MergeType type, FieldSet set, string path)
    {
        switch (tree)
        {
            case Dictionary<string, object?> { Count: > 0 } map when type.Kind == MergeKind.Granular:
                foreach (var (key, value) in map)
                {
                    var child = set.ChildOrNew(PathElement.Field(key));
                    Collect(value, type.Field(key) ?? MergeType.Deduced, child, path + "." + key);
                    if (value is null or Dictionary<string, object?> { Count: 0 } || !type.Declares(key))
                    {
                        child.Insert();
                    }
                }

                break;
            case List<object?> { Count: > 0 } list when type.Kind is MergeKind.Keyed or MergeKind.Set:
                var seen = new HashSet<PathElement>();
                for (var i = 0; i < list.Count; i++)
                {
                    var step = StepOf(list[i], i, type);
                    if (!seen.Add(step))
                    {
                        throw new ApplyException($"{path}: duplicate entries for {step.ForPeople()}");
                    }

                    var child = set.ChildOrNew(step);
                    Collect(list[i], type.Item, child, path + step.ForPeople());
                    child.Insert();
                }

                break;
            default:
                set.Insert();
                break;
        }
    }

    private static void Compare(object? before, bool was, object? after, bool isThere, MergeType type, FieldSet added, FieldSet modified, FieldSet removed)
    {
        var maps = type.Kind == MergeKind.Granular && before is null or Dictionary<string, object?> && after is null or Dictionary<string, object?>;
        if (type.Kind == MergeKind.Granular && maps && Count(before) + Count(after) > 0)
        {
            var left = before as Dictionary<string, object?>;
            var right = after as Dictionary<string, object?>;
            foreach (var key in (left?.Keys ?? Enumerable.Empty<string>()).Union(right?.Keys ?? Enumerable.Empty<string>(), StringComparer.Ordinal))
            {
                object? x = null, y = null;
                var hasX = left?.TryGetValue(key, out x) == true;
                var hasY = right?.TryGetValue(key, out y) == true;
                CompareChild(PathElement.Field(key), x, hasX, y, hasY, type.Field(key) ?? MergeType.Deduced, added, modified, removed);
            }

            Mark(was, isThere, added, removed);
            return;
        }

        if (type.Kind is MergeKind.Keyed or MergeKind.Set && before is null or List<object?> && after is null or List<object?> && Count(before) + Count(after) > 0)
        {
            var left = Index(before as List<object?>, type);
            var right = Index(after as List<object?>, type);
            foreach (var step in left.Keys.Union(right.Keys))
            {
                var hasX = left.TryGetValue(step, out var x);
                var hasY = right.TryGetValue(step, out var y);
                CompareChild(step, x, hasX, y, hasY, type.Item, added, modified, removed);
            }

            Mark(was, isThere, added, removed);
            return;
        }

        if (!was || !isThere)
        {
            Mark(was, isThere, added, removed);
        }
        else if (!ApiValues.TreesEqual(before, after))
        {
            modified.Insert();
        }
    }

    private static void CompareChild(PathElement step, object? x, bool hasX, object? y, bool hasY, MergeType type, FieldSet added, FieldSet modified, FieldSet removed)
    {
        switch (hasX, hasY)
        {
            case (false, true):
                All(y, type, added.ChildOrNew(step));
                break;
            case (true, false):
                All(x, type, removed.ChildOrNew(step));
                break;
            default:
                // Most of two states of an object is the same: no sets are made for it.
                if (!AreSame(x, y))
                {
                    Compare(x, true, y, true, type, added.ChildOrNew(step), modified.ChildOrNew(step), removed.ChildOrNew(step));
                }

                break;
        }
    }

    /// <summary>All paths of a value that is there in one tree only, its containers among them.</summary>
    private static void All(object? tree, MergeType type, FieldSet set)
    {
        set.Insert();
        switch (tree)
        {
            case Dictionary<string, object?> map when type.Kind == MergeKind.Granular:
                foreach (var (key, value) in map)
                {
                    All(value, type.Field(key) ?? MergeType.Deduced, set.ChildOrNew(PathElement.Field(key)));
                }

                break;
            case List<object?> list when type.Kind is MergeKind.Keyed or MergeKind.Set:
                foreach (var (step, item) in Index(list, type))
                {
                    All(item, type.Item, set.ChildOrNew(step));
                }

                break;
        }
    }

    /// <summary>Equal in every part: an empty container is not an absent one, and lists are compared in order.</summary>
    private static bool AreSame(object? x, object? y)
    {
        if (ReferenceEquals(x, y))
        {
            return true;
        }

        switch (x, y)
        {
            case (Dictionary<string, object?> a, Dictionary<string, object?> b):
                if (a.Count != b.Count)
                {
                    return false;
                }

                foreach (var (key, value) in a)
                {
                    if (!b.TryGetValue(key, out var other) || !AreSame(value, other))
                    {
                        return false;
                    }
                }

                return true;
            case (List<object?> a, List<object?> b):
                if (a.Count != b.Count)
                {
                    return false;
                }

                for (var i = 0; i < a.Count; i++)
                {
                    if (!AreSame(a[i], b[i]))
                    {
                        return false;
                    }
                }

                return true;
            default:
                return x is not null && x.Equals(y);
        }
    }

    private static void Mark(bool was, bool isThere, FieldSet added, FieldSet removed)
    {
        if (!was && isThere)
        {
            added.Insert();
        }
        else if (was && !isThere)
        {
            removed.Insert();
        }
    }

    private static Dictionary<PathElement, object?> Index(List<object?>? list, MergeType type)
    {
        var index = new Dictionary<PathElement, object?>();
        for (var i = 0; i < list?.Count; i++)
        {
            index.TryAdd(StepOf(list[i], i, type), list[i]);
        }

        return index;
    }

    private static int Count(object? value) => value is System.Collections.ICollection c ? c.Count : 0;

    private static PathElement StepOf(object? item, int index, MergeType type)
    {
        if (type.Kind == MergeKind.Set)
        {
            return PathElement.Value(item);
        }

        if (item is not Dictionary<string, object?> map)
        {
            return PathElement.Index(index);
        }

        var keys = new List<KeyValuePair<string, object?>>();
        foreach (var (name, fallback) in type.Keys)
        {
            if (map.TryGetValue(name, out var value) && value is not null)
            {
                keys.Add(new(name, value));
            }
            else if (fallback is not null)
            {
                keys.Add(new(name, fallback));
            }
        }

        return PathElement.Key(keys);
    }

    /// <summary>
    /// Weaves two lists: the configuration's order holds for what it names, items of the live list alone keep their
    /// place before the next shared item.
    /// </summary>
    private static List<object?> MergeLists(List<object?> live, List<object?> config, MergeType type)
    {
        var left = Steps(live, type);
        var right = Steps(config, type);
        var inConfig = right.ToHashSet();
        var liveItems = Index(live, type);
        var shared = new Queue<PathElement>(right.Where(liveItems.ContainsKey));
        var result = new List<object?>();
        int l = 0, r = 0;
        while (l < left.Count || r < right.Count)
        {
            if (l < left.Count && r < right.Count && left[l] != right[r] && inConfig.Contains(left[l]) && shared.Count > 0 && shared.Peek() != left[l])
            {
                l++;
                continue;
            }

            if (l < left.Count && !(r < right.Count && left[l] == right[r]) && !inConfig.Contains(left[l]))
            {
                result.Add(live[l++]);
                continue;
            }

            if (r >= right.Count)
            {
                l++;
                continue;
            }

            result.Add(liveItems.TryGetValue(right[r], out var under) ? Merge(under, config[r], type.Item) : config[r]);
            if (shared.Count > 0 && shared.Peek() == right[r])
            {
                shared.Dequeue();
            }

            if (l < left.Count && left[l] == right[r])
            {
                l++;
            }

            r++;
        }

        return result;
    }

    private static List<PathElement> Steps(List<object?> list, MergeType type) => list.Select((item, i) => StepOf(item, i, type)).ToList();
}
