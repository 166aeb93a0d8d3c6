using System.Text.Json.Nodes;

namespace Hardway.Oracle.Tests.Replay;

/// <summary>RFC 6901 with two more kinds of segment: [key=value] is the first element of a list that has it, * (in removals) every element.</summary>
internal static class JsonPointer
{
    public static string[] Parts(string pointer)
        => [.. pointer.Split('/').Skip(1).Select(p => p.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];

    /// <summary>False where nothing is there; a null that is there is true.</summary>
    public static bool TryGet(JsonNode? root, string pointer, out JsonNode? value)
    {
        value = root;
        foreach (var part in Parts(pointer))
        {
            switch (value)
            {
                case JsonArray array when Indexes(array, part).Cast<int?>().FirstOrDefault() is { } index:
                    value = array[index];
                    break;
                case JsonObject map when map.TryGetPropertyValue(part, out var child):
                    value = child;
                    break;
                default:
                    return false;
            }
        }

        return true;
    }

    public static void Remove(JsonNode? value, ReadOnlySpan<string> parts)
    {
        if (parts.IsEmpty) return;
        var head = parts[0];
        var rest = parts[1..];
        if (value is JsonObject map)
        {
            foreach (var key in head == "*" ? map.Select(p => p.Key).ToList() : map.ContainsKey(head) ? [head] : [])
            {
                if (rest.IsEmpty) map.Remove(key);
                else Remove(map[key], rest);
            }
        }
        else if (value is JsonArray array)
        {
            foreach (var index in (head == "*" ? Enumerable.Range(0, array.Count) : Indexes(array, head)).Reverse().ToList())
            {
                if (rest.IsEmpty) array.RemoveAt(index);
                else Remove(array[index], rest);
            }
        }
    }

    /// <summary>The elements that a segment names.</summary>
    private static IEnumerable<int> Indexes(JsonArray array, string part)
    {
        if (int.TryParse(part, out var index)) return index >= 0 && index < array.Count ? [index] : [];
        var equals = part.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0 || part[0] != '[' || part[^1] != ']') return [];
        var (key, wanted) = (part[1..equals], part[(equals + 1)..^1]);
        return Enumerable.Range(0, array.Count).Where(i => array[i] is JsonObject element && element[key]?.ToString() == wanted);
    }
}
