using System.Collections;

namespace Hardway.Cel.Functions;

/// <summary>Lists and sets.</summary>
internal static class Lists
{
    public static void AddTo(FunctionTable table)
    {
        table.AddMethod("isSorted", 0, (a, b) => IsSorted(ListOf(a[0], "isSorted"), b));
        table.AddMethod("sum", 0, (a, b) => Sum(ListOf(a[0], "sum"), b));
        table.AddMethod("min", 0, (a, b) => Extreme(ListOf(a[0], "min"), b, -1));
        table.AddMethod("max", 0, (a, b) => Extreme(ListOf(a[0], "max"), b, 1));
        table.AddMethod("distinct", 0, (a, b) => Distinct(ListOf(a[0], "distinct"), b));
        table.AddMethod("flatten", 0, (a, b) => Flatten(ListOf(a[0], "flatten"), 1, b));
        table.AddMethod("flatten", 1, (a, b) => a[1] is long depth and >= 0 ? Flatten(ListOf(a[0], "flatten"), depth, b) : throw CelException.NoOverload("flatten"));
        table.AddMethod("slice", 2, Slice);
        table.AddMethod("sort", 0, (a, b) => Sort(ListOf(a[0], "sort"), b));
        table.AddGlobal("lists.range", 1, Range);
        table.AddGlobal("sets.contains", 2, (a, b) => Contains(ListOf(a[0], "sets.contains"), ListOf(a[1], "sets.contains"), b));
        table.AddGlobal("sets.equivalent", 2, (a, b) => Contains(ListOf(a[0], "sets.equivalent"), ListOf(a[1], "sets.equivalent"), b) && Contains(ListOf(a[1], "sets.equivalent"), ListOf(a[0], "sets.equivalent"), b));
        table.AddGlobal("sets.intersects", 2, (a, b) => ListOf(a[0], "sets.intersects") is var x && ListOf(a[1], "sets.intersects").Any(item => Has(x, item, b)));
    }

    public static object IndexOf(object?[] a, CelBudget budget)
    {
        var list = ListOf(a[0], "indexOf");
        for (var i = 0; i < list.Count; i++)
        {
            if (CelValues.AreEqual(list[i], a[1], budget))
            {
                return (long)i;
            }
        }

        return -1L;
    }

    public static object LastIndexOf(object?[] a, CelBudget budget)
    {
        var list = ListOf(a[0], "lastIndexOf");
        for (var i = list.Count - 1; i >= 0; i--)
        {
            if (CelValues.AreEqual(list[i], a[1], budget))
            {
                return (long)i;
            }
        }

        return -1L;
    }

    public static object Reverse(object?[] a, CelBudget budget)
    {
        var list = ListOf(a[0], "reverse");
        budget.Take(list.Count);
        var copy = new List<object?>(list);
        copy.Reverse();
        return copy;
    }

    private static List<object?> ListOf(object? value, string name) => value switch
    {
        List<object?> own => own,
        byte[] => throw CelException.NoOverload(name),
        IList list => [.. list.Cast<object?>()],
        _ => throw CelException.NoOverload(name),
    };

    private static bool IsSorted(List<object?> list, CelBudget budget)
    {
        for (var i = 1; i < list.Count; i++)
        {
            if ((CelValues.Compare(list[i - 1], list[i], budget) ?? throw CelException.NoOverload("isSorted")) > 0)
            {
                return false;
            }
        }

        return true;
    }

    private static object? Sum(List<object?> list, CelBudget budget)
    {
        budget.Take(list.Count);
        return list.Count == 0 ? 0L : list.Skip(1).Aggregate(list[0], (a, b) => (a, b) switch
        {
            (long x, long y) => checked(x + y),
            (ulong x, ulong y) => checked(x + y),
            (double x, double y) => x + y,
            (TimeSpan x, TimeSpan y) => x + y,
            _ => throw CelException.NoOverload("sum"),
        });
    }

    private static object? Extreme(List<object?> list, CelBudget budget, int sign)
    {
        if (list.Count == 0)
        {
            throw new CelException("min/max called on empty list");
        }

        var best = list[0];
        foreach (var item in list.Skip(1))
        {
            if ((CelValues.Compare(item, best, budget) ?? throw CelException.NoOverload("min/max")) * sign > 0)
            {
                best = item;
            }
        }

        return best;
    }

    private static List<object?> Distinct(List<object?> list, CelBudget budget)
    {
        var result = new List<object?>();
        foreach (var item in list)
        {
            if (!Has(result, item, budget))
            {
                result.Add(item);
            }
        }

        return result;
    }

    private static List<object?> Flatten(List<object?> list, long depth, CelBudget budget)
    {
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        var result = new List<object?>();
        foreach (var item in list)
        {
            budget.Take(1);
            if (item is IList and not byte[] && depth > 0)
            {
                result.AddRange(Flatten(ListOf(item, "flatten"), depth - 1, budget));
            }
            else
            {
                result.Add(item);
            }
        }

        return result;
    }

    private static object Slice(object?[] a, CelBudget budget)
    {
        if (a is not [IList, long from, long to])
        {
            throw CelException.NoOverload("slice");
        }

        var list = ListOf(a[0], "slice");
        if (from < 0 || to < from || to > list.Count)
        {
            throw new CelException($"cannot slice({from}, {to}), list is length {list.Count}");
        }

        budget.Take(to - from);
        return list.GetRange((int)from, (int)(to - from));
    }

    private static List<object?> Sort(List<object?> list, CelBudget budget)
    {
        budget.Take((long)list.Count * 10);
        foreach (var item in list.Skip(1))
        {
            _ = CelValues.Compare(list[0], item, budget) ?? throw CelException.NoOverload("sort");
        }

        return [.. list.OrderBy(v => v, Comparer<object?>.Create((x, y) => CelValues.Compare(x, y, budget) ?? 0))];
    }

    private static object Range(object?[] a, CelBudget budget)
    {
        if (a[0] is not long count)
        {
            throw CelException.NoOverload("lists.range");
        }

        budget.Take(Math.Max(0, count));
        return new List<object?>(Enumerable.Range(0, (int)Math.Max(0, count)).Select(i => (object?)(long)i));
    }

    private static bool Contains(List<object?> list, List<object?> wanted, CelBudget budget) => wanted.TrueForAll(item => Has(list, item, budget));

    private static bool Has(List<object?> list, object? item, CelBudget budget)
    {
        foreach (var own in list)
        {
            if (CelValues.AreEqual(own, item, budget))
            {
                return true;
            }
        }

        return false;
    }
}
