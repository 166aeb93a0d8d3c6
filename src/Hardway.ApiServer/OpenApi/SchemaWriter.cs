using System.Text.Json;
using Hardway.Api;

namespace Hardway.ApiServer.OpenApi;

/// <summary>
/// Writes the types of the schema as OpenAPI: version 3 (components, allOf around references that carry more) or version 2 (definitions).
/// Collects what was referred to, so that a document holds all it needs. One document at a time.
/// </summary>
internal sealed class SchemaWriter(Utf8JsonWriter writer, bool v3, CustomSchemas custom)
{
    public const string Time = "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
    public const string MicroTime = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";
    public const string Duration = "io.k8s.apimachinery.pkg.apis.meta.v1.Duration";
    public const string Quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";
    public const string IntOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
    public const string RawExtension = "io.k8s.apimachinery.pkg.runtime.RawExtension";
    public const string FieldsV1 = "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1";
    public const string Patch = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";
    private const string Json = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON";

    private readonly Descriptions _texts = Descriptions.Get();
    private readonly HashSet<string> _done = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _wanted = new(StringComparer.Ordinal);

    public void Want(string typeName) => _wanted.Add(typeName);

    public void WriteReference(string typeName)
    {
        Want(typeName);
        writer.WriteString("$ref", (v3 ? "#/components/schemas/" : "#/definitions/") + typeName);
    }

    /// <summary>Writes all wanted types and what they refer to, as members of the object that is open.</summary>
    public void WriteAll()
    {
        while (_wanted.Except(_done).FirstOrDefault() is { } name)
        {
            _done.Add(name);
            writer.WriteStartObject(name);
            if (custom.Find(name, v3) is { } schema)
            {
                Want(Hardway.Api.Meta.V1.ObjectMeta.TypeSchema.FullName);
                foreach (var (key, value) in schema)
                {
                    writer.WritePropertyName(key);
                    ApiJson.WriteTree(writer, value);
                }
            }
            else if (!WriteSpecial(name))
            {
                WriteStruct(ApiCatalog.FindType(name) ?? throw new InvalidOperationException($"no type {name}"));
            }

            writer.WriteEndObject();
        }
    }

    private bool WriteSpecial(string name)
    {
        switch (name)
        {
            case Time or MicroTime:
                writer.WriteString("description", "A point in time in UTC, written by RFC 3339.");
                writer.WriteString("type", "string");
                writer.WriteString("format", "date-time");
                return true;
            case Duration:
                writer.WriteString("description", "A span of time, such as 1h30m or 500ms.");
                writer.WriteString("type", "string");
                return true;
            case Quantity:
                writer.WriteString("description", "An amount: a number with an optional suffix, such as 500m, 2, 64Mi or 1e3.");
                WriteAlternatives("string", "number");
                return true;
            case IntOrString:
                writer.WriteString("description", "An integer or a string; where it counts something, the string is a percentage.");
                if (v3)
                {
                    writer.WriteString("format", "int-or-string");
                    WriteAlternatives("integer", "string");
                }
                else
                {
                    writer.WriteString("type", "string");
                    writer.WriteString("format", "int-or-string");
                }

                return true;
            case RawExtension or FieldsV1 or Patch:
                writer.WriteString("description", name == Patch ? "A change to an object, in the form that the content type names." : "Any object.");
                writer.WriteString("type", "object");
                return true;
            case Json:
                writer.WriteString("description", "Any JSON value.");
                return true;
            default:
                return false;
        }
    }

    private void WriteAlternatives(string first, string second)
    {
        if (!v3)
        {
            writer.WriteString("type", "string");
            return;
        }

        writer.WriteStartArray("oneOf");
        foreach (var type in new[] { first, second })
        {
            writer.WriteStartObject();
            writer.WriteString("type", type);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private void WriteStruct(TypeSchema type)
    {
        writer.WriteString("description", _texts.OfType(type));
        writer.WriteString("type", "object");
        var required = type.Fields.ToArray().Where(f => f.IsRequired).Select(f => f.Name).ToList();
        if (required.Count > 0)
        {
            WriteTexts("required", required);
        }

        if (type.Fields.Length > 0)
        {
            writer.WriteStartObject("properties");
            foreach (var field in type.Fields.ToArray().OrderBy(f => f.Name, StringComparer.Ordinal))
            {
                writer.WriteStartObject(field.Name);
                WriteField(type, field);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        WriteTypeExtensions(type);
    }

    private void WriteTypeExtensions(TypeSchema type)
    {
        if (type.Kind.Length > 0)
        {
            writer.WriteStartArray("x-kubernetes-group-version-kind");
            foreach (var (group, version) in GroupVersions(type))
            {
                writer.WriteStartObject();
                writer.WriteString("group", group);
                writer.WriteString("kind", type.Kind);
                writer.WriteString("version", version);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        if (type.IsAtomic)
        {
            writer.WriteString("x-kubernetes-map-type", "atomic");
        }
    }

    /// <summary>Of options and watch events: every group and version, with those that are no longer served.</summary>
    private static IEnumerable<(string Group, string Version)> GroupVersions(TypeSchema type) => type.Kind is "DeleteOptions" or "WatchEvent"
        ? EveryGroupVersion.All
        : [(type.Group == "meta.k8s.io" ? "" : type.Group, type.Version)];

    private void WriteField(TypeSchema type, FieldSchema field)
    {
        writer.WriteString("description", _texts.OfField(type, field));
        var reference = ReferenceOf(field.Shape, field);
        var defaultValue = v3 ? DefaultOf(field) : field.Default;
        if (reference is not null)
        {
            WriteDefault(defaultValue);
            if (v3)
            {
                writer.WriteStartArray("allOf");
                writer.WriteStartObject();
                WriteReference(reference);
                writer.WriteEndObject();
                writer.WriteEndArray();
            }
            else
            {
                WriteReference(reference);
            }
        }
        else
        {
            WriteShape(field.Shape, field);
            WriteDefault(field.Shape.Kind is ShapeKind.List or ShapeKind.Map ? null : defaultValue);
            WriteEnum(field);
        }

        WriteFieldExtensions(field);
    }

    private static string? DefaultOf(FieldSchema field)
    {
        if (field.Default is { } text)
        {
            return text;
        }

        if (field.ApiDefault is { } shown)
        {
            return shown;
        }

        if ((field.Flags & FieldFlags.ZeroDefault) == 0)
        {
            return null;
        }

        return field.Shape.Kind switch
        {
            ShapeKind.String => "\"\"",
            ShapeKind.Int32 or ShapeKind.Int64 or ShapeKind.Double => "0",
            ShapeKind.Bool => "false",
            _ => "{}",
        };
    }

    private void WriteDefault(string? value)
    {
        if (value is not null)
        {
            writer.WritePropertyName("default");
            writer.WriteRawValue(value);
        }
    }

    private void WriteEnum(FieldSchema field)
    {
        if (field.Enum is { } values && field.Shape.Kind == ShapeKind.String)
        {
            WriteTexts("enum", values);
        }
    }

    private void WriteFieldExtensions(FieldSchema field)
    {
        if (field.List == ListKind.Map)
        {
            WriteTexts("x-kubernetes-list-map-keys", field.ListKeys);
        }

        if (field.List != ListKind.Unset)
        {
            writer.WriteString("x-kubernetes-list-type", field.List switch { ListKind.Map => "map", ListKind.Set => "set", _ => "atomic" });
        }

        if (field.IsAtomic)
        {
            writer.WriteString("x-kubernetes-map-type", "atomic");
        }

        if (field.MergeKey is { } key)
        {
            writer.WriteString("x-kubernetes-patch-merge-key", key);
        }

        if (field.Patch is { } patch)
        {
            writer.WriteString("x-kubernetes-patch-strategy", patch);
        }
    }

    /// <summary>The type that a shape is a reference to, or null where it is written in place.</summary>
    private static string? ReferenceOf(Shape shape, FieldSchema? field) => shape.Kind switch
    {
        ShapeKind.Struct => shape.Type.FullName,
        ShapeKind.Time => Time,
        ShapeKind.MicroTime => MicroTime,
        ShapeKind.Duration => Duration,
        ShapeKind.Quantity => Quantity,
        ShapeKind.IntOrString => IntOrString,
        ShapeKind.Raw => RawExtension,
        ShapeKind.Any => field?.Name == "fieldsV1" ? FieldsV1 : Json,
        _ => null,
    };

    private void WriteShape(Shape shape, FieldSchema? field)
    {
        switch (shape.Kind)
        {
            case ShapeKind.String:
                writer.WriteString("type", "string");
                break;
            case ShapeKind.Int32 or ShapeKind.Int64:
                writer.WriteString("type", "integer");
                writer.WriteString("format", shape.Kind == ShapeKind.Int32 ? "int32" : "int64");
                break;
            case ShapeKind.Double:
                writer.WriteString("type", "number");
                writer.WriteString("format", "double");
                break;
            case ShapeKind.Bool:
                writer.WriteString("type", "boolean");
                break;
            case ShapeKind.Bytes:
                writer.WriteString("type", "string");
                writer.WriteString("format", "byte");
                break;
            case ShapeKind.List:
                writer.WriteString("type", "array");
                writer.WriteStartObject("items");
                WriteElement(shape.Element!, field);
                writer.WriteEndObject();
                break;
            case ShapeKind.Map:
                writer.WriteString("type", "object");
                writer.WriteStartObject("additionalProperties");
                WriteElement(shape.Element!, field);
                writer.WriteEndObject();
                break;
            case ShapeKind.OneOf:
                break;
            default:
                throw new InvalidOperationException($"{shape.Kind} is a reference");
        }
    }

    private void WriteElement(Shape element, FieldSchema? field)
    {
        if (ReferenceOf(element, null) is { } reference)
        {
            WriteReference(reference);
            return;
        }

        WriteShape(element, null);
        if ((field?.ItemEnum ?? field?.Enum) is { } values && element.Kind == ShapeKind.String)
        {
            WriteTexts("enum", values);
        }
    }

    private void WriteTexts(string name, IEnumerable<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (var text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }
}
