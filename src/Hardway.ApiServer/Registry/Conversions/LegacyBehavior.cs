namespace Hardway.ApiServer.Registry.Conversions;

/// <summary>An autoscaler's behavior as upstream keeps it in an annotation: under the names of Go's fields, absent ones as null; read in any case of letters.</summary>
internal static class LegacyBehavior
{
    private static readonly string[] s_rules = ["ScaleUp", "ScaleDown"];
    private static readonly string[] s_fields = ["StabilizationWindowSeconds", "SelectPolicy", "Policies", "Tolerance"];
    private static readonly string[] s_policy = ["Type", "Value", "PeriodSeconds"];

    public static Dictionary<string, object?> ToGo(Dictionary<string, object?> behavior) =>
        Renamed(behavior, s_rules, rule => Renamed((Dictionary<string, object?>)rule, s_fields, Policies));

    public static Dictionary<string, object?> FromGo(Dictionary<string, object?> behavior)
    {
        var result = Tree.New();
        foreach (var (name, value) in behavior)
        {
            if (value is not null && Find(name) is { } known)
            {
                result[known] = value switch
                {
                    Dictionary<string, object?> map => FromGo(map),
                    List<object?> list => list.ConvertAll(i => i is Dictionary<string, object?> item ? FromGo(item) : i),
                    _ => value,
                };
            }
        }

        return result;
    }

    private static object? Policies(object value) => value is List<object?> list
        ? list.ConvertAll(p => p is Dictionary<string, object?> policy ? (object?)Renamed(policy, s_policy, v => v) : p)
        : value;

    private static Dictionary<string, object?> Renamed(Dictionary<string, object?> map, string[] names, Func<object, object?> inner)
    {
        var result = Tree.New();
        foreach (var name in names)
        {
            result[name] = map.GetValueOrDefault(Small(name)) is { } value ? inner(value) : null;
        }

        return result;
    }

    private static string? Find(string name) => s_rules.Concat(s_fields).Concat(s_policy).FirstOrDefault(n => n.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } known ? Small(known) : null;

    private static string Small(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
