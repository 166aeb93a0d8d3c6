namespace Hardway.Api.Patching;

/// <summary>
/// Strategic merge patch on trees: JSON merge patch plus lists that merge by key, and the directives $patch, $retainKeys,
/// $deleteFromPrimitiveList and $setElementOrder. Which lists merge, and by which key, is the schema's.
/// </summary>
public static class StrategicMergePatch
{
    private const string Directive = "$patch";
    private const string RetainKeys = "$retainKeys";
    private const string DeletePrefix = "$deleteFromPrimitiveList/";
    private const string OrderPrefix = "$setElementOrder/";

    /// <summary>Returns the patched tree; the target may be changed in place.</summary>
    /// <exception cref="PatchException">A directive is malformed, a merge key is missing, or an order does not match.</exception>
    public static Dictionary<string, object?> Apply(TypeSchema schema, Dictionary<string, object?> target, Dictionary<string, object?> patch) =>
        MergeMap(Shape.Struct(schema), target, patch);

    private static Dictionary<string, object?> MergeMap(Shape? shape, Dictionary<string, object?> target, Dictionary<string, object?> patch)
    {
        switch (patch.GetValueOrDefault(Directive))
        {
            case "replace":
                return (Dictionary<string, object?>)Clean(Without(patch, Directive))!;
            case "delete":
                return new Dictionary<string, object?>(StringComparer.Ordinal);
            case null or "merge":
                break;
            default:
                throw new PatchException(PatchFault.Malformed, $"the directive $patch has the unknown value \"{patch[Directive]}\", expected replace, delete or merge");
        }

        if (patch.TryGetValue(RetainKeys, out var retain))
        {
            Retain(target, patch, retain);
        }

        foreach (var (key, value) in patch)
        {
            if (key.StartsWith(DeletePrefix, StringComparison.Ordinal))
            {
                DeletePrimitives(target, key[DeletePrefix.Length..], value);
            }
        }

        foreach (var (key, value) in patch)
        {
            if (!key.StartsWith('$') || key is "$ref" or "$schema")
            {
                MergeField(shape, target, key, value, patch.GetValueOrDefault(OrderPrefix + key) as List<object?>);
            }
            else if (key.StartsWith(OrderPrefix, StringComparison.Ordinal) && !patch.ContainsKey(key[OrderPrefix.Length..]) && value is List<object?> order)
            {
                var name = key[OrderPrefix.Length..];
                if (target.GetValueOrDefault(name) is List<object?> list)
                {
                    var field = FieldOf(shape, name);
                    target[name] = Arrange(list, order, list, field?.MergeKey);
                }
            }
        }

        return target;
    }

    private static void MergeField(Shape? shape, Dictionary<string, object?> target, string key, object? value, List<object?>? order)
    {
        if (value is null)
        {
            target.Remove(key);
            return;
        }

        var field = FieldOf(shape, key);
        var inner = field?.Shape ?? (shape?.Kind == ShapeKind.Map ? shape.Element : null);
        var current = target.GetValueOrDefault(key);
        switch (current, value)
        {
            case (Dictionary<string, object?> map, Dictionary<string, object?> changes) when !Replaces(field):
                target[key] = MergeMap(inner, map, changes);
                break;
            case (List<object?> list, List<object?> changes) when Merges(field):
                target[key] = MergeList(field!, list, changes, order);
                break;
            case (null, List<object?> changes) when Merges(field):
                target[key] = MergeList(field!, [], changes, order);
                break;
            default:
                target[key] = Clean(value);
                break;
        }
    }

    private static List<object?> MergeList(FieldSchema field, List<object?> target, List<object?> patch, List<object?>? order)
    {
        var key = field.MergeKey;
        List<object?> merged;
        if (key is null || field.Shape.Element!.Kind != ShapeKind.Struct)
        {
            merged = [.. target.Concat(patch).Distinct()];
            return Finish(merged, patch, target, order, null);
        }

        var plain = new List<object?>();
        var result = new List<object?>(target);
        var replace = false;
        foreach (var item in patch)
        {
            var map = item as Dictionary<string, object?> ?? throw new PatchException(PatchFault.Inconsistent, $"a list that merges by \"{key}\" has an item that is no object");
            switch (map.GetValueOrDefault(Directive))
            {
                case "delete" when map.TryGetValue(key, out var gone):
                    result.RemoveAll(o => SameKey(o, key, gone));
                    break;
                case "delete":
                    throw MissingKey(key);
                case "replace":
                    replace = true;
                    break;
                case null or "merge":
                    plain.Add(Without(map, Directive));
                    break;
                default:
                    throw new PatchException(PatchFault.Malformed, $"the directive $patch has the unknown value \"{map[Directive]}\", expected replace, delete or merge");
            }
        }

        if (replace)
        {
            return plain.ConvertAll(Clean);
        }

        foreach (var item in plain)
        {
            var map = (Dictionary<string, object?>)item!;
            var id = map.GetValueOrDefault(key) ?? throw MissingKey(key);
            var at = result.FindIndex(o => SameKey(o, key, id));
            if (at < 0)
            {
                result.Add(Clean(map));
            }
            else
            {
                result[at] = MergeMap(field.Shape.Element, (Dictionary<string, object?>)result[at]!, map);
            }
        }

        return Finish(result, plain, target, order, key);
    }

    private static List<object?> Finish(List<object?> merged, List<object?> patch, List<object?> live, List<object?>? order, string? key)
    {
        if (order is null)
        {
            return Arrange(merged, patch, live, key);
        }

        var at = -1;
        foreach (var item in patch)
        {
            var next = order.FindIndex(at + 1, o => SameItem(o, item, key));
            if (next < 0)
            {
                throw new PatchException(PatchFault.Inconsistent, "the order of the patch's list does not match its $setElementOrder list");
            }

            at = next;
        }

        return Arrange(merged, order, live, key);
    }

    /// <summary>
    /// Orders a merged list: items named by the patch in the patch's order, the others in the live order, the two woven
    /// together by the live order where it knows both, else the patch's item first.
    /// </summary>
    private static List<object?> Arrange(List<object?> merged, List<object?> order, List<object?> live, string? key)
    {
        var patched = new List<object?>();
        foreach (var item in order)
        {
            var at = merged.FindIndex(m => SameItem(m, item, key));
            if (at >= 0)
            {
                patched.Add(merged[at]);
                merged = [.. merged.Where((_, i) => i != at)];
            }
        }

        var others = merged.OrderBy(m => Position(live, m, key)).ToList();
        var result = new List<object?>(patched.Count + others.Count);
        int o = 0, p = 0;
        while (o < others.Count || p < patched.Count)
        {
            if (p >= patched.Count)
            {
                result.Add(others[o++]);
                continue;
            }

            if (o < others.Count)
            {
                var left = Position(live, others[o], key);
                var right = Position(live, patched[p], key);
                if (left < int.MaxValue && right < int.MaxValue && left < right)
                {
                    result.Add(others[o++]);
                    continue;
                }
            }

            result.Add(patched[p++]);
        }

        return result;
    }

    private static int Position(List<object?> list, object? item, string? key)
    {
        var at = list.FindIndex(l => SameItem(l, item, key));
        return at < 0 ? int.MaxValue : at;
    }

    private static bool SameItem(object? a, object? b, string? key) =>
        key is null ? ApiValues.TreesEqual(a, b) : SameKey(a, key, (b as Dictionary<string, object?>)?.GetValueOrDefault(key));

    private static bool SameKey(object? item, string key, object? id) =>
        item is Dictionary<string, object?> map && map.TryGetValue(key, out var value) && ApiValues.TreesEqual(value, id);

    private static void Retain(Dictionary<string, object?> target, Dictionary<string, object?> patch, object? retain)
    {
        if (retain is not List<object?> keys)
        {
            throw new PatchException(PatchFault.Malformed, "the directive $retainKeys is no list of field names");
        }

        foreach (var key in patch.Keys)
        {
            if (!key.StartsWith('$') && !keys.Contains(key))
            {
                throw new PatchException(PatchFault.Malformed, $"the directive $retainKeys does not name \"{key}\", which the patch sets");
            }
        }

        foreach (var key in target.Keys.Where(k => !keys.Contains(k)).ToList())
        {
            target.Remove(key);
        }
    }

    private static void DeletePrimitives(Dictionary<string, object?> target, string key, object? value)
    {
        if (value is not List<object?> gone)
        {
            throw new PatchException(PatchFault.Malformed, $"the directive {DeletePrefix}{key} is no list");
        }

        if (target.GetValueOrDefault(key) is List<object?> list)
        {
            list.RemoveAll(gone.Contains);
        }
    }

    /// <summary>What of a patch becomes the value where nothing stood before: no directives, no nulls, no deleted items.</summary>
    private static object? Clean(object? value)
    {
        switch (value)
        {
            case Dictionary<string, object?> map:
                var copy = new Dictionary<string, object?>(map.Count, StringComparer.Ordinal);
                foreach (var (key, item) in map)
                {
                    if (item is not null && !key.StartsWith('$'))
                    {
                        copy[key] = Clean(item);
                    }
                    else if (key is "$ref" or "$schema")
                    {
                        copy[key] = item;
                    }
                }

                return copy;
            case List<object?> list:
                return list.Where(i => i is not Dictionary<string, object?> m || !m.ContainsKey(Directive)).Select(Clean).ToList();
            default:
                return value;
        }
    }

    private static Dictionary<string, object?> Without(Dictionary<string, object?> map, string key)
    {
        if (!map.ContainsKey(key))
        {
            return map;
        }

        var copy = new Dictionary<string, object?>(map, StringComparer.Ordinal);
        copy.Remove(key);
        return copy;
    }

    private static FieldSchema? FieldOf(Shape? shape, string key) => shape?.Kind == ShapeKind.Struct ? shape.Type.Field(key) : null;

    private static bool Merges(FieldSchema? field) => field?.Patch is not null && field.Patch.Contains("merge", StringComparison.Ordinal) && field.Shape.Kind == ShapeKind.List;

    private static bool Replaces(FieldSchema? field) => field?.Patch == "replace" || field?.Shape.Kind is ShapeKind.Raw;

    private static PatchException MissingKey(string key) => new(PatchFault.Inconsistent, $"an item of the list does not contain its merge key \"{key}\"");
}
