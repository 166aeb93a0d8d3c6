using System.Collections;
using System.Numerics;

namespace Hardway.Cel.Functions;

/// <summary>Arithmetic, comparison, membership. Whole numbers overflow into errors.</summary>
internal static class Operators
{
    public static void AddTo(FunctionTable table)
    {
        table.AddOperator("==", (a, b) => CelValues.AreEqual(a[0], a[1], b));
        table.AddOperator("!=", (a, b) => !CelValues.AreEqual(a[0], a[1], b));
        table.AddOperator("<", (a, b) => Order(a, b, "_<_") < 0);
        table.AddOperator("<=", (a, b) => Order(a, b, "_<=_") is var order && order <= 0);
        table.AddOperator(">", (a, b) => Order(a, b, "_>_") is var order && order > 0 && order != NotComparable);
        table.AddOperator(">=", (a, b) => Order(a, b, "_>=_") is var order && order >= 0 && order != NotComparable);
        table.AddOperator("+", Add);
        table.AddOperator("-", Subtract);
        table.AddOperator("*", (a, _) => Arithmetic(a, "_*_", (x, y) => checked(x * y), (x, y) => checked(x * y), (x, y) => x * y));
        table.AddOperator("/", (a, _) => Arithmetic(a, "_/_", (x, y) => y == 0 ? throw Zero() : checked(x / y), (x, y) => y == 0 ? throw Zero() : x / y, (x, y) => x / y));
        table.AddOperator("%", (a, _) => Arithmetic(a, "_%_", (x, y) => y == 0 ? throw new CelException("modulus by zero") : y == -1 ? 0 : x % y, (x, y) => y == 0 ? throw new CelException("modulus by zero") : x % y, null));
        table.AddOperator("neg", (a, _) => a[0] switch { long l => (object)checked(-l), double d => -d, _ => throw CelException.NoOverload("-_") });
        table.AddOperator("!", (a, _) => a[0] is bool b ? !b : throw CelException.NoOverload("!_"));
        table.AddOperator("in", In);
    }

    /// <summary>NaN is neither less nor more.</summary>
    private const int NotComparable = 2;

    private static int Order(object?[] a, CelBudget budget, string name) =>
        CelValues.Compare(a[0], a[1], budget) is { } order ? Math.Sign(order)
        : CelValues.IsNumber(a[0]) && CelValues.IsNumber(a[1]) ? NotComparable
        : throw CelException.NoOverload(name);

    private static object Add(object?[] a, CelBudget budget)
    {
        switch (a[0], a[1])
        {
            case (string x, string y):
                budget.TakeText(x.Length + y.Length);
                return x + y;
            case (byte[] x, byte[] y):
                budget.TakeText(x.Length + y.Length);
                return (byte[])[.. x, .. y];
            case (IList x and not byte[], IList y and not byte[]):
                budget.Take(x.Count + y.Count);
                return new List<object?>([.. x.Cast<object?>(), .. y.Cast<object?>()]);
            case (DateTimeOffset x, TimeSpan y):
                return Bounded(() => x + y);
            case (TimeSpan x, DateTimeOffset y):
                return Bounded(() => y + x);
            case (TimeSpan x, TimeSpan y):
                return x + y;
            default:
                return Arithmetic(a, "_+_", (x, y) => checked(x + y), (x, y) => checked(x + y), (x, y) => x + y);
        }
    }

    private static object Subtract(object?[] a, CelBudget budget) => (a[0], a[1]) switch
    {
        (DateTimeOffset x, DateTimeOffset y) => x - y,
        (DateTimeOffset x, TimeSpan y) => Bounded(() => x - y),
        (TimeSpan x, TimeSpan y) => x - y,
        _ => Arithmetic(a, "_-_", (x, y) => checked(x - y), (x, y) => checked(x - y), (x, y) => x - y),
    };

    private static object Bounded(Func<DateTimeOffset> add)
    {
        try
        {
            return add();
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new CelException("timestamp overflow", e);
        }
    }

    private static object Arithmetic(object?[] a, string name, Func<long, long, long> whole, Func<ulong, ulong, ulong> unsigned, Func<double, double, double>? real) => (a[0], a[1]) switch
    {
        (long x, long y) => (object)whole(x, y),
        (ulong x, ulong y) => unsigned(x, y),
        (double x, double y) when real is not null => real(x, y),
        _ => throw CelException.NoOverload(name),
    };

    private static object In(object?[] a, CelBudget budget)
    {
        switch (a[1])
        {
            case IDictionary map:
                CelValues.Find(map, a[0], out var found);
                return found;
            case IList list and not byte[]:
                foreach (var item in list)
                {
                    if (CelValues.AreEqual(a[0], item, budget))
                    {
                        return true;
                    }
                }

                return false;
            default:
                throw CelException.NoOverload("@in");
        }
    }

    private static CelException Zero() => new("division by zero");
}
