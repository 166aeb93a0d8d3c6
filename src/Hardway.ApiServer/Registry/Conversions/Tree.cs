namespace Hardway.ApiServer.Registry.Conversions;

/// <summary>Short words for what converters do with JSON trees.</summary>
internal static class Tree
{
    public static Dictionary<string, object?> New() => new(StringComparer.Ordinal);

    public static Dictionary<string, object?>? Map(this Dictionary<string, object?> tree, string name) => tree.GetValueOrDefault(name) as Dictionary<string, object?>;

    /// <summary>The object of that name, made where there is none.</summary>
    public static Dictionary<string, object?> MapOrNew(this Dictionary<string, object?> tree, string name)
    {
        if (tree.Map(name) is not { } map)
        {
            tree[name] = map = New();
        }

        return map;
    }

    /// <summary>The objects in the list of that name; none where there is no list.</summary>
    public static IEnumerable<Dictionary<string, object?>> Maps(this Dictionary<string, object?> tree, string name) =>
        (tree.GetValueOrDefault(name) as List<object?>)?.OfType<Dictionary<string, object?>>() ?? [];

    /// <summary>Moves a value to another name or another object, if it is there.</summary>
    public static void Move(this Dictionary<string, object?> from, string name, Dictionary<string, object?> to, string newName)
    {
        if (from.Remove(name, out var value) && value is not null)
        {
            to[newName] = value;
        }
    }

    public static void Copy(this Dictionary<string, object?> from, string name, Dictionary<string, object?> to, string newName)
    {
        if (from.GetValueOrDefault(name) is { } value)
        {
            to[newName] = value;
        }
    }
}
