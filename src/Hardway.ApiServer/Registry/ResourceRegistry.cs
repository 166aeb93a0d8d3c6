using System.Text;
using Hardway.Api;
using Hardway.Api.FieldManagement;
using Hardway.ApiServer.Custom;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Registry;

/// <summary>One kind of stored objects: its storage version, where it stands and its rules. Several served versions may share it. Immutable.</summary>
internal sealed class ResourceRegistry
{
    public ResourceRegistry(ResourceInfo storage, KindRules rules, string prefix)
    {
        Storage = storage;
        Rules = rules;
        Prefix = prefix;
        Envelope = Encoding.UTF8.GetBytes($"{{\"kind\":\"{storage.Kind}\",\"apiVersion\":\"{storage.ApiVersion}\",");
    }

    /// <summary>The version that is written to the store and that rules see.</summary>
    public ResourceInfo Storage { get; }

    public KindRules Rules { get; }

    /// <summary>Without a slash at its end.</summary>
    public string Prefix { get; }

    /// <summary>How every encoded object begins; typed lists leave it out of their items.</summary>
    public ReadOnlyMemory<byte> Envelope { get; }

    /// <summary>Of a custom resource the version that this registry works in; null for built-in kinds.</summary>
    public CustomVersion? Custom { get; init; }

    /// <summary>A custom resource: lists keep kind and apiVersion in items.</summary>
    public bool IsCustom => Custom is not null;

    public bool Namespaced => Storage.Namespaced;

    public string Group => Storage.Group;

    public string Resource => Storage.Plural;

    public string Kind => Storage.Kind;

    public string Key(string @namespace, string name) => Namespaced ? $"{Prefix}/{@namespace}/{name}" : $"{Prefix}/{name}";

    /// <summary>The prefix of a collection's keys; of all namespaces where none is given.</summary>
    public string Collection(string @namespace) => Namespaced && @namespace.Length > 0 ? $"{Prefix}/{@namespace}/" : Prefix + "/";
}

/// <summary>A resource in one version as it is served. Immutable.</summary>
internal sealed class ServedResource(ResourceInfo info, ResourceRegistry registry)
{
    public ResourceInfo Info { get; } = info;

    public ResourceRegistry Registry { get; } = registry;

    /// <summary>The stored bytes are what clients get.</summary>
    public bool IsStorageVersion { get; } = info == registry.Storage;

    public KindRules Rules => Registry.Rules;

    /// <summary>How server-side apply sees the kind.</summary>
    public MergeType MergeType { get; init; } = SchemaMergeType.Of(info.Type);

    /// <summary>Custom resources have no protobuf.</summary>
    public Offer Offer => Registry.IsCustom ? Offer.Yaml | Offer.Representations : Offer.All;

    public bool Has(string verb) => Info.Verbs.Contains(verb);

    public SubresourceInfo? Subresource(string name) => Array.Find(Info.Subresources, s => s.Name == name);
}
