using System.Collections;

namespace Hardway.Cel.Functions;

/// <summary>Values that may be missing.</summary>
internal static class Optionals
{
    public static void AddTo(FunctionTable table)
    {
        table.AddGlobal("optional.of", 1, (a, _) => CelOptional.Of(a[0]));
        table.AddGlobal("optional.none", 0, (_, _) => CelOptional.None);
        table.AddGlobal("optional.ofNonZeroValue", 1, (a, _) => IsZero(a[0]) ? CelOptional.None : CelOptional.Of(a[0]));
        table.AddMethod("hasValue", 0, (a, _) => Of(a, "hasValue").HasValue);
        table.AddMethod("value", 0, (a, _) => Of(a, "value") is { HasValue: true } some ? some.Value : throw new CelException("optional.none() dereference"));
        table.AddMethod("orValue", 1, (a, _) => Of(a, "orValue") is { HasValue: true } some ? some.Value : a[1]);
        table.AddMethod("or", 1, (a, _) => Of(a, "or").HasValue ? a[0] : a[1] as CelOptional ?? throw CelException.NoOverload("or"));
    }

    private static CelOptional Of(object?[] a, string name) => a[0] as CelOptional ?? throw CelException.NoOverload(name);

    private static bool IsZero(object? value) => value switch
    {
        null or false or 0L or 0UL or 0.0 or "" => true,
        ICollection { Count: 0 } => true,
        TimeSpan t => t == TimeSpan.Zero,
        _ => false,
    };
}
