using System.Collections;

namespace Hardway.Api;

public enum ShapeKind
{
    String,
    Int32,
    Int64,
    Double,
    Bool,
    Bytes,
    Quantity,
    IntOrString,
    Time,
    MicroTime,
    Duration,

    /// <summary>Any JSON: object, list, string, long, double, bool or null.</summary>
    Any,

    /// <summary>An object of another type, embedded (RawExtension): as Any.</summary>
    Raw,
    Struct,
    List,
    Map,

    /// <summary>One of several shapes, told apart by the JSON token.</summary>
    OneOf,
}

/// <summary>What a value looks like: a scalar, a struct type, or a list or map of shapes. Immutable and shared.</summary>
public sealed class Shape
{
    private readonly Func<TypeSchema>? _type;
    private readonly Func<object>? _create;
    private TypeSchema? _schema;

    private Shape(ShapeKind kind, Shape? element = null, Func<TypeSchema>? type = null, Func<object>? create = null, Shape[]? alternatives = null)
    {
        Kind = kind;
        Element = element;
        _type = type;
        _create = create;
        Alternatives = alternatives ?? [];
    }

    public static Shape String { get; } = new(ShapeKind.String);

    public static Shape Int32 { get; } = new(ShapeKind.Int32);

    public static Shape Int64 { get; } = new(ShapeKind.Int64);

    public static Shape Double { get; } = new(ShapeKind.Double);

    public static Shape Bool { get; } = new(ShapeKind.Bool);

    public static Shape Bytes { get; } = new(ShapeKind.Bytes);

    public static Shape Quantity { get; } = new(ShapeKind.Quantity);

    public static Shape IntOrString { get; } = new(ShapeKind.IntOrString);

    public static Shape Time { get; } = new(ShapeKind.Time);

    public static Shape MicroTime { get; } = new(ShapeKind.MicroTime);

    public static Shape Duration { get; } = new(ShapeKind.Duration);

    public static Shape Any { get; } = new(ShapeKind.Any);

    public static Shape Raw { get; } = new(ShapeKind.Raw);

    public ShapeKind Kind { get; }

    /// <summary>Of a list or map: what it holds.</summary>
    public Shape? Element { get; }

    public Shape[] Alternatives { get; }

    /// <summary>Of a struct: its type.</summary>
    public TypeSchema Type => _schema ??= (_type ?? throw new InvalidOperationException($"a {Kind} has no struct type"))();

    public static Shape Struct<T>()
        where T : ApiStruct, IApiType<T>, new() => StructShape<T>.Value;

    public static Shape Struct(TypeSchema schema) => new(ShapeKind.Struct, type: () => schema);

    public static Shape List<T>(Shape element) => new(ShapeKind.List, element, create: static () => new List<T>());

    public static Shape Map<T>(Shape element) => new(ShapeKind.Map, element, create: static () => new Dictionary<string, T>(StringComparer.Ordinal));

    public static Shape OneOf(params Shape[] alternatives) => new(ShapeKind.OneOf, alternatives: alternatives);

    public IList NewList() => (IList)_create!();

    public IDictionary NewMap() => (IDictionary)_create!();

    private static class StructShape<T>
        where T : ApiStruct, IApiType<T>, new()
    {
        public static readonly Shape Value = new(ShapeKind.Struct, type: static () => T.TypeSchema);
    }
}
