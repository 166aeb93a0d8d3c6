using System.Collections;

namespace Hardway.Cel.Functions;

/// <summary>math.*.</summary>
internal static class Maths
{
    public static void AddTo(FunctionTable table)
    {
        table.AddGlobal("math.greatest", -1, (a, b) => Best(a, b, 1));
        table.AddGlobal("math.least", -1, (a, b) => Best(a, b, -1));
        table.AddGlobal("math.abs", 1, (a, _) => a[0] switch { long l => checked(Math.Abs(l)), ulong u => u, double d => Math.Abs(d), _ => throw CelException.NoOverload("math.abs") });
        table.AddGlobal("math.sign", 1, (a, _) => a[0] switch { long l => (long)Math.Sign(l), ulong u => u == 0 ? 0UL : 1UL, double d => double.IsNaN(d) ? d : (double)Math.Sign(d), _ => throw CelException.NoOverload("math.sign") });
        Real(table, "math.ceil", Math.Ceiling);
        Real(table, "math.floor", Math.Floor);
        Real(table, "math.round", d => Math.Round(d, MidpointRounding.AwayFromZero));
        Real(table, "math.trunc", Math.Truncate);
        table.AddGlobal("math.sqrt", 1, (a, _) => a[0] switch { double d => Math.Sqrt(d), long l => Math.Sqrt(l), ulong u => Math.Sqrt(u), _ => throw CelException.NoOverload("math.sqrt") });
        table.AddGlobal("math.isNaN", 1, (a, _) => a[0] is double d ? double.IsNaN(d) : throw CelException.NoOverload("math.isNaN"));
        table.AddGlobal("math.isInf", 1, (a, _) => a[0] is double d ? double.IsInfinity(d) : throw CelException.NoOverload("math.isInf"));
        table.AddGlobal("math.isFinite", 1, (a, _) => a[0] is double d ? double.IsFinite(d) : throw CelException.NoOverload("math.isFinite"));
        Bits(table, "math.bitAnd", (x, y) => x & y, (x, y) => x & y);
        Bits(table, "math.bitOr", (x, y) => x | y, (x, y) => x | y);
        Bits(table, "math.bitXor", (x, y) => x ^ y, (x, y) => x ^ y);
    }

    private static void Real(FunctionTable table, string name, Func<double, double> function) =>
        table.AddGlobal(name, 1, (a, _) => a[0] is double d ? function(d) : throw CelException.NoOverload(name));

    private static void Bits(FunctionTable table, string name, Func<long, long, long> whole, Func<ulong, ulong, ulong> unsigned) =>
        table.AddGlobal(name, 2, (a, _) => a switch { [long x, long y] => whole(x, y), [ulong x, ulong y] => unsigned(x, y), _ => throw CelException.NoOverload(name) });

    private static object? Best(object?[] a, CelBudget budget, int sign)
    {
        var values = a is [IList list and not byte[]] ? [.. list.Cast<object?>()] : a;
        if (values.Length == 0 || !values.All(CelValues.IsNumber))
        {
            throw CelException.NoOverload(sign > 0 ? "math.greatest" : "math.least");
        }

        var best = values[0];
        foreach (var value in values)
        {
            if (CelValues.Compare(value, best, budget) * sign > 0)
            {
                best = value;
            }
        }

        return best;
    }
}
