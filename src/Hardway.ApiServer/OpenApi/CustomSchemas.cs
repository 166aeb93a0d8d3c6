using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.OpenApi;

/// <summary>The schemas of custom kinds as documents show them: as written, with what every object has. Version 2 knows no alternatives: they are left out.</summary>
internal sealed class CustomSchemas
{
    private static readonly string[] s_newer = ["oneOf", "anyOf", "allOf", "not", "nullable", "x-kubernetes-validations"];
    private readonly Dictionary<string, ServedResource> _byType;

    public CustomSchemas(IEnumerable<ServedResource> served)
    {
        _byType = served.Where(r => r.Registry.IsCustom).ToDictionary(r => r.Info.Type.FullName, StringComparer.Ordinal);
    }

    /// <summary>The members of a type's schema, and the types that it refers to; null for a type that is not custom.</summary>
    public Dictionary<string, object?>? Find(string typeName, bool v3)
    {
        if (_byType.GetValueOrDefault(typeName) is not { } resource)
        {
            return null;
        }

        var info = resource.Info;
        var schema = (Dictionary<string, object?>)Shown(resource.Registry.Custom!.Schema.Source, v3)!;
        var properties = schema.GetValueOrDefault("properties") as Dictionary<string, object?> ?? new Dictionary<string, object?>(StringComparer.Ordinal);
        properties["apiVersion"] = Text("The version of the schema that this object is written in.");
        properties["kind"] = Text("The kind of this object.");
        var reference = new Dictionary<string, object?>(StringComparer.Ordinal) { ["$ref"] = (v3 ? "#/components/schemas/" : "#/definitions/") + ObjectMeta.TypeSchema.FullName };
        properties["metadata"] = v3
            ? new Dictionary<string, object?>(StringComparer.Ordinal) { ["description"] = "Name, labels and what else all objects have.", ["allOf"] = new List<object?> { reference } }
            : reference;
        schema["properties"] = properties;
        schema["type"] = "object";
        schema["x-kubernetes-group-version-kind"] = new List<object?> { new Dictionary<string, object?>(StringComparer.Ordinal) { ["group"] = info.Group, ["kind"] = info.Kind, ["version"] = info.Version } };
        return schema;
    }

    private static Dictionary<string, object?> Text(string description) => new(StringComparer.Ordinal) { ["description"] = description, ["type"] = "string" };

    /// <summary>A copy. What version 2 cannot say is left out: a part that keeps unknown fields there has no properties, as its clients would prune them.</summary>
    private static object? Shown(object? tree, bool v3)
    {
        switch (tree)
        {
            case Dictionary<string, object?> map:
                var isOpen = !v3 && map.GetValueOrDefault("x-kubernetes-preserve-unknown-fields") is true;
                var copy = new Dictionary<string, object?>(StringComparer.Ordinal);
                foreach (var (key, value) in map)
                {
                    if (v3 || !(s_newer.Contains(key) || (isOpen && key is "properties" or "items" or "type")))
                    {
                        copy[key] = Shown(value, v3);
                    }
                }

                return copy;
            case List<object?> list:
                return list.ConvertAll(i => Shown(i, v3));
            default:
                return tree;
        }
    }
}
