using Hardway.Api;
using Hardway.Api.ApiExtensions.V1;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Custom;

/// <summary>Makes what is served from a definition: a type and rules a version, one registry for them all.</summary>
internal static class CustomResourceBuilder
{
    private static readonly string[] s_verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

    public static IEnumerable<ServedResource> Build(CustomResourceDefinition definition)
    {
        var storage = definition.Spec.Versions?.Find(v => v.Storage);
        if (storage is null)
        {
            return [];
        }

        var prefix = StorageLayout.CustomPrefix(definition.Spec.Group, definition.Spec.Names.Plural);
        var schema = Structure(storage);
        var stored = Info(definition, storage, schema);
        var registry = new ResourceRegistry(stored, new CustomRules(schema, storage), prefix) { IsCustom = true };
        var all = new List<ServedResource>();
        foreach (var version in (definition.Spec.Versions ?? []).Where(v => v.Served))
        {
            var structure = version == storage ? schema : Structure(version);
            all.Add(new ServedResource(version == storage ? stored : Info(definition, version, structure), registry) { MergeType = CustomMergeType.OfRoot(structure) });
        }

        return all;
    }

    private static StructuralSchema Structure(CustomResourceDefinitionVersion version) =>
        new(version.Schema?.OpenAPIV3Schema is { } schema ? ApiJson.ToTree(schema) : new Dictionary<string, object?>());

    private static ResourceInfo Info(CustomResourceDefinition definition, CustomResourceDefinitionVersion version, StructuralSchema schema)
    {
        var spec = definition.Spec;
        var names = spec.Names;
        var type = CustomObject.NewType(spec.Group, version.Name, names.Kind, schema);
        return new ResourceInfo(spec.Group, version.Name, names.Plural, names.Singular, names.Kind, spec.Scope == "Namespaced", () => type, null)
        {
            Verbs = s_verbs,
            ShortNames = [.. names.ShortNames ?? []],
            Categories = [.. names.Categories ?? []],
            OnByDefault = true,
            DiscoveryOrder = 1000,
            Subresources = version.Subresources?.Status is null ? [] : [new SubresourceInfo("status", names.Kind, spec.Group, version.Name, ["get", "patch", "update"], () => type)],
        };
    }
}
