using Hardway.Api;
using Hardway.Api.Meta.V1;

namespace Hardway.ApiServer.Custom;

/// <summary>An object of a custom kind: kind, apiVersion and metadata are typed, all else are JSON trees in <see cref="Rest"/>.</summary>
internal sealed class CustomObject(TypeSchema schema) : KubeObject
{
    private readonly object?[] _values = new object?[3];

    public override TypeSchema StructSchema => schema;

    public override Dictionary<string, object?> Rest { get; } = new(StringComparer.Ordinal);

    public override string ApiVersion
    {
        get => (string?)_values[0] ?? "";
        set => _values[0] = value;
    }

    public override string Kind
    {
        get => (string?)_values[1] ?? "";
        set => _values[1] = value;
    }

    public override ObjectMeta Metadata
    {
        get => (ObjectMeta)(_values[2] ??= new ObjectMeta());
        set => _values[2] = value;
    }

    public override object? Get(int ordinal) => _values[ordinal] is string { Length: 0 } ? null : _values[ordinal];

    public override void Set(int ordinal, object? value) => _values[ordinal] = value;

    /// <summary>The type of one version.</summary>
    public static TypeSchema NewType(string group, string version, string kind)
    {
        TypeSchema? made = null;
        made = new TypeSchema($"{string.Join('.', group.Split('.').Reverse())}.{version}.{kind}", group, version, kind, () => new CustomObject(made!) { ApiVersion = group + "/" + version, Kind = kind }, () =>
        [
            new FieldSchema("apiVersion", Shape.String, FieldFlags.Envelope | FieldFlags.OmitEmpty, 0),
            new FieldSchema("kind", Shape.String, FieldFlags.Envelope | FieldFlags.OmitEmpty, 0),
            new FieldSchema("metadata", Shape.Struct<ObjectMeta>(), FieldFlags.OmitEmpty, 0),
        ]);
        return made;
    }
}
