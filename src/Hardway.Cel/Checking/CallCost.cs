namespace Hardway.Cel.Checking;

/// <summary>The work of a function at most, beyond that of its arguments; and how large its value gets. As <see cref="CelBudget"/> counts: a tenth for a character.</summary>
internal static class CallCost
{
    private const double Character = 0.1;
    private const double Pattern = 0.25;
    private const double Access = 350_000;

    public static double Of(string name, CelDecl[] arguments)
    {
        var first = arguments.Length > 0 ? arguments[0] : CelDecl.Dyn;
        return 1 + name switch
        {
            "==" or "!=" or "<" or "<=" or ">" or ">=" => Whole(first) < Whole(arguments[1]) ? Whole(first) : Whole(arguments[1]),
            "+" when first.Kind is CelDeclKind.Text or CelDeclKind.Bytes => (first.Size + arguments[1].Size) * Character,
            "+" when first.Kind == CelDeclKind.List => first.Size + arguments[1].Size,
            "in" when arguments[1].Kind is CelDeclKind.List or CelDeclKind.Dyn => Times(arguments[1].Size, Math.Max(1, Whole(first))),
            "contains" => Times(first.Size * Character, Math.Max(1, arguments[1].Size * Character)),
            "startsWith" or "endsWith" => arguments[1].Size * Character,
            "matches" or "find" or "findAll" => Times((first.Size + 1) * Character, Math.Max(1, arguments[1].Size * Pattern)),
            "indexOf" or "lastIndexOf" when first.Kind == CelDeclKind.Text => Times(first.Size * Character, Math.Max(1, arguments[1].Size * Character)),
            "check" => Access,
            "sets.contains" or "sets.intersects" or "sets.equivalent" => Times(first.Size, arguments[1].Size),
            "distinct" or "sort" => Times(first.Size, Math.Max(1, Math.Log2(Math.Max(2, first.Size)))),
            _ => Traverses(first),
        };
    }

    /// <summary>The result with a size, as far as the arguments tell.</summary>
    public static CelDecl Sized(string name, CelDecl result, CelDecl[] arguments)
    {
        if (result.Kind is not (CelDeclKind.Text or CelDeclKind.Bytes or CelDeclKind.List or CelDeclKind.Map) || !double.IsInfinity(result.Size) || arguments.Length == 0)
        {
            return result;
        }

        var first = arguments[0].Size;
        var size = name switch
        {
            "+" => first + arguments[1].Size,
            "replace" => Times(first, Math.Max(1, arguments[2].Size)),
            "join" => Times(first, (arguments[0].Element?.Size ?? 0) + (arguments.Length > 1 ? arguments[1].Size : 0)),
            "string" when arguments[0].Kind is CelDeclKind.Bool or CelDeclKind.Int or CelDeclKind.Uint or CelDeclKind.Double or CelDeclKind.Timestamp or CelDeclKind.Duration => 64,
            "string" when arguments[0].Kind == CelDeclKind.Opaque => 256,
            "charAt" => 1,
            "base64.encode" => first * 4 / 3,
            _ => first,
        };
        return result.Kind == CelDeclKind.List && result.Element is { Kind: CelDeclKind.Text } text && arguments[0].Kind == CelDeclKind.Text
            ? CelDecl.List(text.WithSize(first)).WithSize(size)
            : result.WithSize(size);
    }

    /// <summary>Nothing of whatever size is still nothing.</summary>
    public static double Times(double a, double b) => a == 0 || b == 0 ? 0 : a * b;

    private static double Traverses(CelDecl target) => target.Kind switch
    {
        CelDeclKind.Text or CelDeclKind.Bytes => target.Size * Character,
        CelDeclKind.List => target.Size,
        _ => 0,
    };

    /// <summary>The work of looking at all of a value.</summary>
    private static double Whole(CelDecl value) => value.Kind switch
    {
        CelDeclKind.Text or CelDeclKind.Bytes => value.Size * Character,
        CelDeclKind.List or CelDeclKind.Map => Times(value.Size, Math.Max(1, Whole(value.Element!))),
        CelDeclKind.Object => value.Fields.Values.Sum(Whole),
        CelDeclKind.Dyn => value.Size * Character,
        _ => 1,
    };
}
