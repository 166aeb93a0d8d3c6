using System.Text.RegularExpressions;

namespace Hardway.ApiServer.Custom;

/// <summary>
/// A custom resource's schema, compiled from its OpenAPI form. Also the schemas within allOf, anyOf, oneOf and not, which only check values.
/// Immutable, safe for all threads.
/// </summary>
internal sealed class StructuralSchema
{
    private static readonly TimeSpan s_patternTime = TimeSpan.FromMilliseconds(100);
    private static readonly Dictionary<string, StructuralSchema> s_none = [];

    /// <exception cref="ArgumentException">A pattern is no regular expression.</exception>
    public StructuralSchema(Dictionary<string, object?> source)
    {
        Source = source;
        Type = source.GetValueOrDefault("type") as string ?? "";
        Format = source.GetValueOrDefault("format") as string ?? "";
        IsNullable = Is("nullable");
        IsIntOrString = Is("x-kubernetes-int-or-string");
        PreservesUnknown = Is("x-kubernetes-preserve-unknown-fields");
        IsEmbedded = Is("x-kubernetes-embedded-resource");
        Properties = Map("properties");
        Items = One("items");
        Additional = One("additionalProperties");
        AllowsAdditional = Is("additionalProperties");
        AllOf = Many("allOf");
        AnyOf = Many("anyOf");
        OneOf = Many("oneOf");
        Not = One("not");
        Required = Strings("required");
        ListKeys = Strings("x-kubernetes-list-map-keys");
        ListType = source.GetValueOrDefault("x-kubernetes-list-type") as string ?? "";
        MapType = source.GetValueOrDefault("x-kubernetes-map-type") as string ?? "";
        HasDefault = source.TryGetValue("default", out var given);
        Default = given;
        Pattern = source.GetValueOrDefault("pattern") is string { Length: > 0 } pattern ? new Regex(pattern, RegexOptions.CultureInvariant, s_patternTime) : null;
        Enum = source.GetValueOrDefault("enum") as List<object?>;
        Rules = SchemaRule.ReadAll(source);
        HasRules = Rules.Count > 0 || Properties.Values.Any(p => p.HasRules) || Items?.HasRules == true || Additional?.HasRules == true;
    }

    public Dictionary<string, object?> Source { get; }

    /// <summary>Empty where any type goes.</summary>
    public string Type { get; }

    public string Format { get; }

    public bool IsNullable { get; }

    public bool IsIntOrString { get; }

    public bool PreservesUnknown { get; }

    public bool IsEmbedded { get; }

    public IReadOnlyDictionary<string, StructuralSchema> Properties { get; }

    public StructuralSchema? Items { get; }

    public StructuralSchema? Additional { get; }

    /// <summary>additionalProperties: true.</summary>
    public bool AllowsAdditional { get; }

    public IReadOnlyList<StructuralSchema> AllOf { get; }

    public IReadOnlyList<StructuralSchema> AnyOf { get; }

    public IReadOnlyList<StructuralSchema> OneOf { get; }

    public StructuralSchema? Not { get; }

    public IReadOnlyList<string> Required { get; }

    public IReadOnlyList<string> ListKeys { get; }

    /// <summary>atomic, set, map; empty where unset.</summary>
    public string ListType { get; }

    /// <summary>atomic, granular; empty where unset.</summary>
    public string MapType { get; }

    public bool HasDefault { get; }

    public object? Default { get; }

    public Regex? Pattern { get; }

    public IReadOnlyList<object?>? Enum { get; }

    public IReadOnlyList<SchemaRule> Rules { get; }

    /// <summary>Here or further down.</summary>
    public bool HasRules { get; }

    public bool Is(string key) => Source.GetValueOrDefault(key) is true;

    public double? Bound(string key) => Source.GetValueOrDefault(key) switch { long n => n, double d => d, _ => null };

    /// <summary>The schema of an object's field; null where there is none.</summary>
    public StructuralSchema? Field(string name) => Properties.TryGetValue(name, out var property) ? property : Additional;

    private StructuralSchema? One(string key) => Source.GetValueOrDefault(key) is Dictionary<string, object?> map ? new StructuralSchema(map) : null;

    private IReadOnlyList<StructuralSchema> Many(string key) =>
        Source.GetValueOrDefault(key) is List<object?> { Count: > 0 } list ? [.. list.OfType<Dictionary<string, object?>>().Select(s => new StructuralSchema(s))] : [];

    private Dictionary<string, StructuralSchema> Map(string key) => Source.GetValueOrDefault(key) is Dictionary<string, object?> map
        ? map.Where(p => p.Value is Dictionary<string, object?>).ToDictionary(p => p.Key, p => new StructuralSchema((Dictionary<string, object?>)p.Value!), StringComparer.Ordinal)
        : s_none;

    private List<string> Strings(string key) => Source.GetValueOrDefault(key) is List<object?> list ? [.. list.OfType<string>()] : [];
}
