using System.Globalization;

namespace Hardway.Api.Patching;

/// <summary>
/// JSON patch (RFC 6902) on trees, with the API's leniencies: a path may begin without a slash (its first part is passed over), a negative index counts
/// from the end, and replacing or removing an absent member of an object is no error.
/// </summary>
public static class JsonPatch
{
    public const int MaxOperations = 10_000;

    /// <summary>Applies all operations; the target may be changed in place and must not be used after a failure.</summary>
    /// <exception cref="PatchException">An operation is malformed or does not fit.</exception>
    public static object? Apply(object? target, object? patch)
    {
        if (patch is not List<object?> operations)
        {
            throw new PatchException(PatchFault.Malformed, "a JSON patch is a list of operations, such as [{\"op\": \"add\", \"path\": \"/data/key\", \"value\": \"x\"}]");
        }

        if (operations.Count > MaxOperations)
        {
            throw new PatchException(PatchFault.TooLarge, $"the JSON patch has {operations.Count} operations, at most {MaxOperations} are allowed");
        }

        for (var i = 0; i < operations.Count; i++)
        {
            var operation = operations[i] as Dictionary<string, object?> ?? throw Unfit(i, "is no object");
            target = ApplyOne(target, operation, i);
        }

        return target;
    }

    private static object? ApplyOne(object? target, Dictionary<string, object?> operation, int index)
    {
        var op = operation.GetValueOrDefault("op") as string;
        var path = Pointer(operation, "path", index);
        switch (op)
        {
            case "add":
                return Put(target, path, Value(operation, index), Mode.Add, index);
            case "replace":
                return Put(target, path, Value(operation, index), Mode.Replace, index);
            case "remove":
                Remove(target, path, index);
                return target;
            case "move":
                var from = Pointer(operation, "from", index);
                var moved = Find(target, from, index, mustExist: true);
                Remove(target, from, index);
                return Put(target, path, moved, Mode.Add, index);
            case "copy":
                return Put(target, path, ApiValues.CloneTree(Find(target, Pointer(operation, "from", index), index, mustExist: true)), Mode.Add, index);
            case "test":
                var expected = operation.GetValueOrDefault("value");
                return ApiValues.TreesEqual(Find(target, path, index, mustExist: expected is not null), expected) ? target : throw Unfit(index, "tests a value that is another");
            default:
                throw Unfit(index, $"has the unknown op \"{op}\"");
        }
    }

    private static object? Put(object? target, string[] path, object? value, Mode mode, int index)
    {
        if (path.Length == 0)
        {
            return value;
        }

        var parent = Find(target, path.AsSpan(0, path.Length - 1), index, mustExist: true);
        var last = path[^1];
        switch (parent)
        {
            case Dictionary<string, object?> map:
                map[last] = value;
                return target;
            case List<object?> list when mode == Mode.Add:
                var at = last == "-" ? list.Count : ListIndex(last, list.Count + 1, index);
                list.Insert(at, value);
                return target;
            case List<object?> list:
                list[ListIndex(last, list.Count, index)] = value;
                return target;
            default:
                throw Unfit(index, $"has a path that leads through something that is no object or list: /{string.Join('/', path)}");
        }
    }

    private static void Remove(object? target, string[] path, int index)
    {
        if (path.Length == 0)
        {
            throw Unfit(index, "removes the whole document");
        }

        switch (Find(target, path.AsSpan(0, path.Length - 1), index, mustExist: true))
        {
            case Dictionary<string, object?> map:
                map.Remove(path[^1]);
                break;
            case List<object?> list:
                list.RemoveAt(ListIndex(path[^1], list.Count, index));
                break;
            default:
                throw Unfit(index, "removes a member of something that is no object or list");
        }
    }

    private static object? Find(object? target, ReadOnlySpan<string> path, int index, bool mustExist)
    {
        foreach (var step in path)
        {
            switch (target)
            {
                case Dictionary<string, object?> map when map.TryGetValue(step, out var next):
                    target = next;
                    break;
                case List<object?> list:
                    target = list[ListIndex(step, list.Count, index)];
                    break;
                default:
                    return mustExist ? throw Unfit(index, $"has a path that does not exist, at \"{step}\"") : null;
            }
        }

        return target;
    }

    private static int ListIndex(string text, int count, int index)
    {
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var at))
        {
            throw Unfit(index, $"has \"{text}\" where a list's index is needed");
        }

        at = at < 0 ? at + count : at;
        return at >= 0 && at < count ? at : throw Unfit(index, $"has the index {text}, beyond the end of its list");
    }

    private static object? Value(Dictionary<string, object?> operation, int index) =>
        operation.TryGetValue("value", out var value) ? ApiValues.CloneTree(value) : throw Unfit(index, "has no value");

    private static string[] Pointer(Dictionary<string, object?> operation, string key, int index)
    {
        if (operation.GetValueOrDefault(key) is not string text)
        {
            throw Unfit(index, $"has no {key}");
        }

        if (text.Length == 0)
        {
            return [];
        }

        // What stands before the first slash counts for nothing: data/a is /a.
        var slash = text.IndexOf('/');
        if (slash < 0)
        {
            throw Unfit(index, $"has \"{text}\" as its {key}, which has no slash");
        }

        var steps = text[(slash + 1)..].Split('/');
        return Array.ConvertAll(steps, s => s.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal));
    }

    private static PatchException Unfit(int index, string why) => new(PatchFault.Unfit, $"operation {index} of the JSON patch {why}");

    private enum Mode
    {
        Add,
        Replace,
    }
}
