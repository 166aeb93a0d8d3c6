using System.Collections.Frozen;

namespace Hardway.Api;

/// <summary>All built-in types and resources, by name. The tables are generated from Schema/.</summary>
public static partial class ApiCatalog
{
    private static readonly Lazy<FrozenDictionary<string, Func<TypeSchema>>> s_types =
        new(() => TypeTable().ToFrozenDictionary(t => t.Name, t => t.Schema, StringComparer.Ordinal));

    private static readonly Lazy<FrozenDictionary<(string, string, string), Func<TypeSchema>>> s_kinds =
        new(() => TypeTable().Where(t => t.Kind.Length > 0).ToFrozenDictionary(t => (t.Group, t.Version, t.Kind), t => t.Schema));

    private static readonly Lazy<ResourceInfo[]> s_resources = new(ResourceTable);

    private static readonly Lazy<FrozenDictionary<(string, string, string), ResourceInfo>> s_byPlural =
        new(() => s_resources.Value.ToFrozenDictionary(r => (r.Group, r.Version, r.Plural)));

    private static readonly Lazy<FrozenDictionary<(string, string, string), ResourceInfo>> s_byKind =
        new(() => s_resources.Value.DistinctBy(r => (r.Group, r.Version, r.Kind)).ToFrozenDictionary(r => (r.Group, r.Version, r.Kind)));

    /// <summary>Every resource of 1.36 in discovery order, with those that are off by default.</summary>
    public static IReadOnlyList<ResourceInfo> Resources => s_resources.Value;

    public static IEnumerable<string> TypeNames => s_types.Value.Keys;

    public static ResourceInfo? Find(string group, string version, string plural) => s_byPlural.Value.GetValueOrDefault((group, version, plural));

    public static ResourceInfo? FindKind(string group, string version, string kind) => s_byKind.Value.GetValueOrDefault((group, version, kind));

    /// <summary>The schema of a type by its full name (io.k8s.api.core.v1.Pod), or null.</summary>
    public static TypeSchema? FindType(string fullName) => s_types.Value.GetValueOrDefault(fullName)?.Invoke();

    /// <summary>The schema of any kind, served or not (Status, DeleteOptions, PodList...), or null.</summary>
    public static TypeSchema? FindKindSchema(string group, string version, string kind) => s_kinds.Value.GetValueOrDefault((group, version, kind))?.Invoke();
}

/// <summary>A resource as discovery shows it, and the types it is made of.</summary>
public sealed class ResourceInfo(string group, string version, string plural, string singular, string kind, bool namespaced, Func<TypeSchema> type, Func<TypeSchema>? listType)
{
    public string Group { get; } = group;

    public string Version { get; } = version;

    public string Plural { get; } = plural;

    public string Singular { get; } = singular;

    public string Kind { get; } = kind;

    public bool Namespaced { get; } = namespaced;

    public TypeSchema Type => type();

    public TypeSchema? ListType => listType?.Invoke();

    public string[] Verbs { get; init; } = [];

    public string[] ShortNames { get; init; } = [];

    public string[] Categories { get; init; } = [];

    public string StorageVersionHash { get; init; } = "";

    /// <summary>stable, beta or alpha.</summary>
    public string Stability { get; init; } = "stable";

    public bool OnByDefault { get; init; }

    public bool IsPreferredVersion { get; init; }

    /// <summary>Place of the group in /apis; 0 is the core group.</summary>
    public int DiscoveryOrder { get; init; }

    /// <summary>Feature gates needed as well: "Name:on,Other:off"; empty for none.</summary>
    public string Gate { get; init; } = "";

    public SubresourceInfo[] Subresources { get; init; } = [];

    public string ApiVersion => Group.Length == 0 ? Version : Group + "/" + Version;

    /// <summary>/api/v1 or /apis/GROUP/VERSION.</summary>
    public string BasePath => Group.Length == 0 ? "/api/" + Version : "/apis/" + Group + "/" + Version;

    /// <summary>The path of the collection, or of one object where a name is given.</summary>
    public string Path(string? @namespace, string? name = null, string? subresource = null)
    {
        var path = BasePath + (Namespaced && !string.IsNullOrEmpty(@namespace) ? "/namespaces/" + @namespace : "") + "/" + Plural;
        path = name is null ? path : path + "/" + Uri.EscapeDataString(name);
        return subresource is null ? path : path + "/" + subresource;
    }

    public override string ToString() => Group.Length == 0 ? Plural : Plural + "." + Group;
}

/// <summary>A subresource: the kind of its body and its verbs.</summary>
public sealed class SubresourceInfo(string name, string kind, string group, string version, string[] verbs, Func<TypeSchema>? type)
{
    public string Name { get; } = name;

    public string Kind { get; } = kind;

    public string Group { get; } = group;

    public string Version { get; } = version;

    public string[] Verbs { get; } = verbs;

    public TypeSchema? Type => type?.Invoke();
}
