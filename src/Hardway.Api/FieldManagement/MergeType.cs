namespace Hardway.Api.FieldManagement;

public enum MergeKind
{
    /// <summary>One value: a scalar, or a list, map or struct that is owned as a whole.</summary>
    Atomic,

    /// <summary>A struct or map whose fields are owned one by one.</summary>
    Granular,

    /// <summary>A list of distinct scalars.</summary>
    Set,

    /// <summary>A list of objects told apart by key fields.</summary>
    Keyed,
}

/// <summary>
/// How server-side apply sees a value. Built-in types and custom resources each give their own; both are walked by the
/// same code. Immutable and shared.
/// </summary>
public abstract class MergeType
{
    public static MergeType Atomic { get; } = new AtomicType();

    /// <summary>Of values without a schema: maps are granular, lists atomic.</summary>
    public static MergeType Deduced { get; } = new DeducedType();

    public abstract MergeKind Kind { get; }

    /// <summary>Of a keyed list: its key fields, and the values they have when absent.</summary>
    public virtual IReadOnlyList<(string Name, object? Default)> Keys => [];

    /// <summary>Of a list: its items.</summary>
    public virtual MergeType Item => Atomic;

    /// <summary>Of a struct or map: the type of a field; null where the schema has no such field.</summary>
    public virtual MergeType? Field(string name) => null;

    /// <summary>Whether the name is a declared field and not a map's key.</summary>
    public virtual bool Declares(string name) => false;

    internal MergeType Step(PathElement step) => step.IsField ? Field(step.Rest) ?? Atomic : Item;

    private sealed class AtomicType : MergeType
    {
        public override MergeKind Kind => MergeKind.Atomic;
    }

    private sealed class DeducedType : MergeType
    {
        public override MergeKind Kind => MergeKind.Granular;

        public override MergeType? Field(string name) => this;
    }
}

/// <summary>The merge type of a built-in type, read off its schema.</summary>
public sealed class SchemaMergeType : MergeType
{
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<TypeSchema, SchemaMergeType> s_structs = new();
    private readonly TypeSchema? _struct;
    private readonly MergeType? _element;
    private readonly MergeKind _kind;
    private readonly (string, object?)[] _keys = [];
    private readonly Dictionary<string, MergeType> _fields = new(StringComparer.Ordinal);

    private SchemaMergeType(TypeSchema type)
    {
        _struct = type;
        _kind = MergeKind.Granular;
    }

    private SchemaMergeType(MergeKind kind, MergeType element, (string, object?)[] keys)
    {
        _kind = kind;
        _element = element;
        _keys = keys;
    }

    public override MergeKind Kind => _kind;

    public override IReadOnlyList<(string Name, object? Default)> Keys => _keys;

    public override MergeType Item => _element ?? Atomic;

    public static MergeType Of(TypeSchema type) => type.IsAtomic ? Atomic : s_structs.GetOrAdd(type, static t => new SchemaMergeType(t));

    public override bool Declares(string name) => _struct?.Field(name) is not null;

    public override MergeType? Field(string name)
    {
        if (_struct is null)
        {
            return _element;
        }

        lock (_fields)
        {
            if (!_fields.TryGetValue(name, out var type))
            {
                if (_struct.Field(name) is not { } field)
                {
                    return null;
                }

                _fields[name] = type = OfField(field);
            }

            return type;
        }
    }

    private static MergeType OfField(FieldSchema field)
    {
        if (field.IsAtomic)
        {
            return Atomic;
        }

        switch (field.Shape.Kind)
        {
            case ShapeKind.Struct:
                return Of(field.Shape.Type);
            case ShapeKind.Map:
                return new SchemaMergeType(MergeKind.Granular, OfElement(field.Shape.Element!), []);
            case ShapeKind.List when field.List == ListKind.Set:
                return new SchemaMergeType(MergeKind.Set, Atomic, []);
            case ShapeKind.List when field.List == ListKind.Map:
                var item = field.Shape.Element!.Type;
                return new SchemaMergeType(MergeKind.Keyed, Of(item), Array.ConvertAll(field.ListKeys, k => (k, KeyDefault(item, k))));
            default:
                return Atomic;
        }
    }

    private static MergeType OfElement(Shape shape) => shape.Kind == ShapeKind.Struct ? Of(shape.Type) : Atomic;

    private static object? KeyDefault(TypeSchema item, string key) =>
        item.Field(key) is { } field && (field.Default ?? field.ApiDefault) is { } json ? ApiJson.DeserializeTree(System.Text.Encoding.UTF8.GetBytes(json)) : null;
}
