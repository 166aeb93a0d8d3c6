namespace Hardway.Cel;

public enum CelDeclKind
{
    /// <summary>Known only when it is evaluated.</summary>
    Dyn,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Timestamp,
    Duration,
    List,
    Map,

    /// <summary>Fields by name.</summary>
    Object,
    Type,
    Optional,

    /// <summary>A type of a library or of the host, by its name alone.</summary>
    Opaque,

    /// <summary>A type variable of a function's signature.</summary>
    Parameter,
}

/// <summary>
/// What is known of a value before evaluation: its type, and how large it can get (characters, bytes, items), which tells what work on it costs at most.
/// Immutable.
/// </summary>
public sealed class CelDecl
{
    private static readonly Dictionary<string, CelDecl> s_noFields = [];

    private CelDecl(CelDeclKind kind, string name = "")
    {
        Kind = kind;
        Name = name;
    }

    public static CelDecl Dyn { get; } = new(CelDeclKind.Dyn, "dyn");

    public static CelDecl Null { get; } = new(CelDeclKind.Null, "null");

    public static CelDecl Bool { get; } = new(CelDeclKind.Bool, "bool");

    public static CelDecl Int { get; } = new(CelDeclKind.Int, "int");

    public static CelDecl Uint { get; } = new(CelDeclKind.Uint, "uint");

    public static CelDecl Double { get; } = new(CelDeclKind.Double, "double");

    public static CelDecl Text { get; } = new(CelDeclKind.Text, "string");

    public static CelDecl Bytes { get; } = new(CelDeclKind.Bytes, "bytes");

    public static CelDecl Timestamp { get; } = new(CelDeclKind.Timestamp, "google.protobuf.Timestamp");

    public static CelDecl Duration { get; } = new(CelDeclKind.Duration, "google.protobuf.Duration");

    public static CelDecl Type { get; } = new(CelDeclKind.Type, "type");

    public CelDeclKind Kind { get; }

    public string Name { get; }

    /// <summary>Of a map: its keys.</summary>
    public CelDecl? Key { get; private init; }

    /// <summary>Of a list its items, of a map its values, of an optional what it may hold.</summary>
    public CelDecl? Element { get; private init; }

    public IReadOnlyDictionary<string, CelDecl> Fields { get; private init; } = s_noFields;

    /// <summary>At most so many characters, bytes or items; infinite where nobody knows.</summary>
    public double Size { get; private init; } = double.PositiveInfinity;

    public static CelDecl List(CelDecl item) => new(CelDeclKind.List) { Element = item };

    public static CelDecl Map(CelDecl key, CelDecl value) => new(CelDeclKind.Map) { Key = key, Element = value };

    public static CelDecl Object(string name, IReadOnlyDictionary<string, CelDecl> fields) => new(CelDeclKind.Object, name) { Fields = fields };

    public static CelDecl Optional(CelDecl inner) => new(CelDeclKind.Optional) { Element = inner };

    public static CelDecl Opaque(string name) => new(CelDeclKind.Opaque, name);

    internal static CelDecl Parameter(string name) => new(CelDeclKind.Parameter, name);

    public CelDecl WithSize(double size) => new(Kind, Name) { Key = Key, Element = Element, Fields = Fields, Size = size };

    public override string ToString() => Kind switch
    {
        CelDeclKind.List => $"list({Element})",
        CelDeclKind.Map => $"map({Key}, {Element})",
        CelDeclKind.Optional => $"optional_type({Element})",
        _ => Name,
    };
}
