using Hardway.Api;
using Hardway.Api.ApiExtensions.V1;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Custom;

/// <summary>What is served from a definition: one registry a version, as each version has its own schema, all over the same stored objects. Immutable.</summary>
internal sealed class CustomKind
{
    private readonly Dictionary<string, CustomVersion> _versions = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">The definition cannot be served: it has no storage version, or a schema is none.</exception>
    public CustomKind(CustomResourceDefinition definition, ICustomConversion conversion)
    {
        Conversion = conversion;
        Group = definition.Spec.Group;
        // The accepted names, not the wished ones: these may be taken.
        Names = definition.Status.AcceptedNames;
        IsTerminating = definition.Metadata.DeletionTimestamp is not null;
        IsNamespaced = definition.Spec.Scope == "Namespaced";
        Prefix = StorageLayout.CustomPrefix(Group, definition.Spec.Names.Plural);
        foreach (var version in definition.Spec.Versions ?? [])
        {
            _versions[version.Name] = new CustomVersion(this, version);
        }

        var storage = definition.Spec.Versions?.Find(v => v.Storage) ?? throw new ArgumentException("no version is the storage version");
        Storage = _versions[storage.Name];
        Served = [.. (definition.Spec.Versions ?? []).Where(v => v.Served).Select(v => Serve(_versions[v.Name]))];
    }

    public string Group { get; }

    public CustomResourceDefinitionNames Names { get; }

    public bool IsNamespaced { get; }

    public bool IsTerminating { get; }

    public string Prefix { get; }

    public ICustomConversion Conversion { get; }

    /// <summary>The version that is written.</summary>
    public CustomVersion Storage { get; }

    public IReadOnlyList<ServedResource> Served { get; }

    /// <summary>By apiVersion; null for one that the definition no longer has.</summary>
    public CustomVersion? Version(string apiVersion) =>
        apiVersion.Length > Group.Length && apiVersion.StartsWith(Group, StringComparison.Ordinal) ? _versions.GetValueOrDefault(apiVersion[(Group.Length + 1)..]) : null;

    private ServedResource Serve(CustomVersion version)
    {
        var registry = new ResourceRegistry(version.Info, version.Rules, Prefix) { Custom = version };
        return new ServedResource(version.Info, registry) { MergeType = CustomMergeType.OfRoot(version.Schema) };
    }
}
