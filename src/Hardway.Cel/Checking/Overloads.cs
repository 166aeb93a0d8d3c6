namespace Hardway.Cel.Checking;

/// <summary>Which of a function's signatures fits, and whether types go together.</summary>
internal static class Overloads
{
    /// <summary>The type of a call; null where nothing fits.</summary>
    public static CelDecl? Resolve(IEnumerable<Signature> candidates, CelDecl[] arguments)
    {
        CelDecl? result = null;
        foreach (var candidate in candidates)
        {
            var bound = new Dictionary<string, CelDecl>(StringComparer.Ordinal);
            if (!candidate.Parameters.Zip(arguments).All(p => Unify(p.First, p.Second, bound)))
            {
                continue;
            }

            var type = Substitute(candidate.Result, bound);
            result = result is null || Same(result, type) ? type : CelDecl.Dyn;
        }

        return result;
    }

    /// <summary>The type that both have or can stand for; null where they do not go together.</summary>
    public static CelDecl? Join(CelDecl a, CelDecl b)
    {
        if (a.Kind == CelDeclKind.Dyn || b.Kind == CelDeclKind.Dyn)
        {
            return CelDecl.Dyn;
        }

        if (a.Kind == CelDeclKind.Null || b.Kind == CelDeclKind.Null)
        {
            var other = a.Kind == CelDeclKind.Null ? b : a;
            return other.Kind is CelDeclKind.Null or CelDeclKind.Object or CelDeclKind.Opaque or CelDeclKind.Timestamp or CelDeclKind.Duration or CelDeclKind.Optional ? other : null;
        }

        if (a.Kind != b.Kind)
        {
            return null;
        }

        var size = Math.Max(a.Size, b.Size);
        switch (a.Kind)
        {
            case CelDeclKind.List:
                return Join(a.Element!, b.Element!) is { } item ? CelDecl.List(item).WithSize(size) : null;
            case CelDeclKind.Optional:
                return Join(a.Element!, b.Element!) is { } inner ? CelDecl.Optional(inner) : null;
            case CelDeclKind.Map:
                return Join(a.Key!, b.Key!) is { } key && Join(a.Element!, b.Element!) is { } value ? CelDecl.Map(key, value).WithSize(size) : null;
            default:
                return a.Name == b.Name ? a.Size >= b.Size ? a : b : null;
        }
    }

    private static bool Unify(CelDecl parameter, CelDecl argument, Dictionary<string, CelDecl> bound)
    {
        if (parameter.Kind == CelDeclKind.Parameter)
        {
            if (!bound.TryGetValue(parameter.Name, out var already))
            {
                bound[parameter.Name] = argument;
                return true;
            }

            if (Join(already, argument) is not { } joined)
            {
                return false;
            }

            bound[parameter.Name] = joined;
            return true;
        }

        if (parameter.Kind == CelDeclKind.Dyn || argument.Kind is CelDeclKind.Dyn or CelDeclKind.Parameter)
        {
            return true;
        }

        return parameter.Kind == argument.Kind && parameter.Kind switch
        {
            CelDeclKind.List or CelDeclKind.Optional => Unify(parameter.Element!, argument.Element!, bound),
            CelDeclKind.Map => Unify(parameter.Key!, argument.Key!, bound) && Unify(parameter.Element!, argument.Element!, bound),
            CelDeclKind.Opaque => parameter.Name == argument.Name,
            _ => true,
        };
    }

    private static CelDecl Substitute(CelDecl type, Dictionary<string, CelDecl> bound) => type.Kind switch
    {
        CelDeclKind.Parameter => bound.GetValueOrDefault(type.Name, CelDecl.Dyn),
        CelDeclKind.List => CelDecl.List(Substitute(type.Element!, bound)),
        CelDeclKind.Optional => CelDecl.Optional(Substitute(type.Element!, bound)),
        CelDeclKind.Map => CelDecl.Map(Substitute(type.Key!, bound), Substitute(type.Element!, bound)),
        _ => type,
    };

    private static bool Same(CelDecl a, CelDecl b) => a.ToString() == b.ToString();
}
