using System.Text;
using System.Text.Json;

namespace Hardway.Api;

/// <summary>A struct type: its fields in the order in which they are encoded. Immutable; fields are made on first use.</summary>
public sealed class TypeSchema
{
    private readonly Func<ApiStruct> _create;
    private readonly Func<FieldSchema[]> _makeFields;
    private Layout? _layout;
    private Protobuf.MessagePlan? _plan;
    private ResourceInfo? _resource;
    private bool? _showsEmpty;

    public TypeSchema(string fullName, string group, string version, string kind, Func<ApiStruct> create, Func<FieldSchema[]> fields)
    {
        FullName = fullName;
        Group = group;
        Version = version;
        Kind = kind;
        _create = create;
        _makeFields = fields;
    }

    /// <summary>As in OpenAPI: io.k8s.api.core.v1.Pod.</summary>
    public string FullName { get; }

    public string Group { get; }

    public string Version { get; }

    /// <summary>Empty for types that are not kinds.</summary>
    public string Kind { get; }

    /// <summary>Server-side apply treats the value as one.</summary>
    public bool IsAtomic { get; init; }

    public string Name => FullName[(FullName.LastIndexOf('.') + 1)..];

    public string ApiVersion => Group.Length == 0 ? Version : Group + "/" + Version;

    public ReadOnlySpan<FieldSchema> Fields => Ready.Fields;

    /// <summary>The resource that serves this kind; null for types that are not served.</summary>
    public ResourceInfo? Resource => _resource ??= ApiCatalog.FindKind(Group, Version, Kind);

    internal Protobuf.MessagePlan Plan => _plan ??= Protobuf.MessagePlan.Make(this);

    private Layout Ready => _layout ??= new Layout(_makeFields());

    /// <summary>Somewhere in it is a list or map that JSON shows although it is empty.</summary>
    internal bool ShowsEmpty => _showsEmpty ??= ReachesShownCollection();

    /// <summary>A new value; of a kind it carries kind and apiVersion.</summary>
    public ApiStruct New() => _create();

    /// <summary>A new value at its zero: without kind and apiVersion, as one that is embedded in another.</summary>
    public ApiStruct NewBare()
    {
        var value = _create();
        if (Kind.Length == 0)
        {
            return value;
        }

        foreach (var field in Fields)
        {
            if ((field.Flags & FieldFlags.Envelope) != 0)
            {
                value.Set(field.Ordinal, null);
            }
        }

        return value;
    }

    public FieldSchema? Field(string name) => Ready.ByName.GetValueOrDefault(name);

    /// <summary>Finds a field by its JSON name in UTF-8; <paramref name="hint"/> is the ordinal expected next.</summary>
    internal FieldSchema? Field(ReadOnlySpan<byte> name, int hint)
    {
        var layout = Ready;
        if ((uint)hint < (uint)layout.Fields.Length && layout.Fields[hint].Utf8Name.AsSpan().SequenceEqual(name))
        {
            return layout.Fields[hint];
        }

        foreach (var field in layout.ByLength(name.Length))
        {
            if (field.Utf8Name.AsSpan().SequenceEqual(name))
            {
                return field;
            }
        }

        return null;
    }

    public override string ToString() => FullName;

    private bool ReachesShownCollection()
    {
        var seen = new HashSet<TypeSchema> { this };
        var next = new Queue<TypeSchema>(seen);
        while (next.TryDequeue(out var type))
        {
            foreach (var field in type.Fields)
            {
                var shape = field.Shape;
                if (shape.Kind is ShapeKind.List or ShapeKind.Map && (field.Flags & FieldFlags.OmitEmpty) == 0)
                {
                    return true;
                }

                while (shape.Element is { } element)
                {
                    shape = element;
                }

                if (shape.Kind == ShapeKind.Struct && seen.Add(shape.Type))
                {
                    next.Enqueue(shape.Type);
                }
            }
        }

        return false;
    }

    private sealed class Layout
    {
        private readonly FieldSchema[][] _byLength;

        public Layout(FieldSchema[] fields)
        {
            Fields = fields;
            for (var i = 0; i < fields.Length; i++)
            {
                fields[i].Ordinal = i;
                ByName[fields[i].Name] = fields[i];
            }

            var longest = fields.Length == 0 ? 0 : fields.Max(f => f.Utf8Name.Length);
            _byLength = new FieldSchema[longest + 1][];
            for (var i = 0; i <= longest; i++)
            {
                _byLength[i] = fields.Where(f => f.Utf8Name.Length == i).ToArray();
            }
        }

        public FieldSchema[] Fields { get; }

        public Dictionary<string, FieldSchema> ByName { get; } = new(StringComparer.Ordinal);

        public ReadOnlySpan<FieldSchema> ByLength(int length) => length < _byLength.Length ? _byLength[length] : [];
    }
}

[Flags]
public enum FieldFlags
{
    None = 0,

    /// <summary>A Go pointer: absent and zero differ.</summary>
    Pointer = 1,
    Required = 2,
    OmitEmpty = 4,
    OmitZero = 8,

    /// <summary>kind or apiVersion of the object: carried in protobuf's envelope.</summary>
    Envelope = 16,

    /// <summary>OpenAPI shows the zero value as default.</summary>
    ZeroDefault = 32,

    /// <summary>The discriminator of a union.</summary>
    Discriminator = 64,
}

/// <summary>How server-side apply sees a list.</summary>
public enum ListKind
{
    Unset,
    Atomic,
    Set,
    Map,
}

/// <summary>A field of a struct type. Immutable once its type is laid out.</summary>
public sealed class FieldSchema(string name, Shape shape, FieldFlags flags, int protoNumber)
{
    public string Name { get; } = name;

    public Shape Shape { get; } = shape;

    public FieldFlags Flags { get; } = flags;

    public int ProtoNumber { get; } = protoNumber;

    public int Ordinal { get; internal set; }

    /// <summary>A default that the API server fills in, as JSON.</summary>
    public string? Default { get; init; }

    /// <summary>A default that only OpenAPI shows, as JSON.</summary>
    public string? ApiDefault { get; init; }

    /// <summary>Strategic merge: "merge", "replace", "retainKeys", "merge,retainKeys"; null is replace.</summary>
    public string? Patch { get; init; }

    public string? MergeKey { get; init; }

    public ListKind List { get; init; }

    public string[] ListKeys { get; init; } = [];

    /// <summary>Server-side apply treats the map or struct as one value.</summary>
    public bool IsAtomic { get; init; }

    /// <summary>The closed set of values; null where open.</summary>
    public string[]? Enum { get; init; }

    /// <summary>Of a list or map: the closed set of its elements' values, as OpenAPI shows it.</summary>
    public string[]? ItemEnum { get; init; }

    public string[]? Known { get; init; }

    /// <summary>Feature gates with their defaults: "Name:on,Other:off".</summary>
    public string? Gate { get; init; }

    /// <summary>Protobuf wrapper messages that hold the field, outer to inner: "name:number:message,...".</summary>
    public string? ProtoIn { get; init; }

    /// <summary>The protobuf message of a scalar that is a message on the wire (Time, Quantity, ...).</summary>
    public string? ProtoMessage { get; init; }

    public string? OneOf { get; init; }

    public byte[] Utf8Name { get; } = Encoding.UTF8.GetBytes(name);

    public JsonEncodedText EncodedName { get; } = JsonEncodedText.Encode(name);

    /// <summary>A list of texts that is a message of its own in protobuf: Verbs, ExtraValue.</summary>
    internal bool IsWrappedList => Shape.Kind == ShapeKind.List && ProtoMessage is not null && Shape.Element!.Kind == ShapeKind.String;

    public bool IsPointer => (Flags & FieldFlags.Pointer) != 0;

    public bool IsRequired => (Flags & FieldFlags.Required) != 0;

    /// <summary>Times and quantities are structs there too: lastProbeTime is null and divisor "0" where they are not set.</summary>
    private bool IsStructInGo => Shape.Kind is ShapeKind.Struct or ShapeKind.Raw or ShapeKind.Time or ShapeKind.MicroTime or ShapeKind.Quantity or ShapeKind.IntOrString;

    /// <summary>
    /// Whether the encoding leaves the field out when it holds this value. A struct that is no pointer (an embedded object is one too) is always
    /// there (Go's omitempty does not see it), unless it is marked omitzero.
    /// </summary>
    public bool IsOmitted(object? value)
    {
        if (value is null)
        {
            return IsStructInGo && !IsPointer ? (Flags & FieldFlags.OmitZero) != 0 : (Flags & (FieldFlags.OmitEmpty | FieldFlags.OmitZero)) != 0;
        }

        return (Flags & FieldFlags.OmitEmpty) != 0 && value is System.Collections.ICollection { Count: 0 } and not byte[] || value is byte[] { Length: 0 } && (Flags & FieldFlags.OmitEmpty) != 0;
    }
}
