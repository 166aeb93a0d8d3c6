using Hardway.Api;

namespace Hardway.Cel.Functions;

/// <summary>Kubernetes' quantities.</summary>
internal static class Quantities
{
    public static void AddTo(FunctionTable table)
    {
        table.AddGlobal("quantity", 1, (a, _) => a[0] is string s && Quantity.TryParse(s, out var q) ? q : throw new CelException("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"));
        table.AddGlobal("isQuantity", 1, (a, _) => a[0] is string s ? Quantity.TryParse(s, out Quantity _) : throw CelException.NoOverload("isQuantity"));
        table.AddMethod("sign", 0, (a, _) => (long)Of(a[0], "sign").Sign);
        table.AddMethod("isInteger", 0, (a, _) => Of(a[0], "isInteger") is var q && q == Quantity.FromValue(q.Value));
        table.AddMethod("asInteger", 0, (a, _) => Of(a[0], "asInteger") is var q && q == Quantity.FromValue(q.Value) ? q.Value : throw new CelException("cannot convert value to integer"));
        table.AddMethod("asApproximateFloat", 0, (a, _) => Of(a[0], "asApproximateFloat").ToDouble());
        table.AddMethod("add", 1, (a, _) => Of(a[0], "add") + Operand(a[1], "add"));
        table.AddMethod("sub", 1, (a, _) => Of(a[0], "sub") - Operand(a[1], "sub"));
        table.AddMethod("isGreaterThan", 1, (a, b) => a[0] is SemVer ? SemVers.Compare(a, b) > 0 : Of(a[0], "isGreaterThan") > Of(a[1], "isGreaterThan"));
        table.AddMethod("isLessThan", 1, (a, b) => a[0] is SemVer ? SemVers.Compare(a, b) < 0 : Of(a[0], "isLessThan") < Of(a[1], "isLessThan"));
        table.AddMethod("compareTo", 1, (a, b) => a[0] is SemVer ? (long)SemVers.Compare(a, b) : (long)Math.Sign(Of(a[0], "compareTo").CompareTo(Of(a[1], "compareTo"))));
    }

    private static Quantity Of(object? value, string name) => value is Quantity q ? q : throw CelException.NoOverload(name);

    private static Quantity Operand(object? value, string name) => value switch { Quantity q => q, long l => Quantity.FromValue(l), _ => throw CelException.NoOverload(name) };
}
