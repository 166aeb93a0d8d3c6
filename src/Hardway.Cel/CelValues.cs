using System.Collections;
using Hardway.Api;

namespace Hardway.Cel;

/// <summary>The name of a type as a value.</summary>
public sealed record CelType(string Name)
{
    public override string ToString() => Name;
}

/// <summary>A value that may be missing.</summary>
public sealed record CelOptional(bool HasValue, object? Value)
{
    public static readonly CelOptional None = new(false, null);

    public static CelOptional Of(object? value) => new(true, value);
}

/// <summary>Equality, order and types of values.</summary>
public static class CelValues
{
    public static string TypeOf(object? value) => value switch
    {
        null => "null_type",
        bool => "bool",
        long => "int",
        ulong => "uint",
        double => "double",
        string => "string",
        byte[] => "bytes",
        DateTimeOffset => "google.protobuf.Timestamp",
        TimeSpan => "google.protobuf.Duration",
        CelType => "type",
        CelOptional => "optional_type",
        Quantity => "kubernetes.Quantity",
        ICelObject o => o.TypeName,
        IDictionary => "map",
        IList => "list",
        _ => value.GetType().Name,
    };

    /// <summary>Numbers are equal by value whatever their type; values of different sorts are not equal.</summary>
    public static bool AreEqual(object? a, object? b, CelBudget budget)
    {
        budget.Take(1);
        switch (a, b)
        {
            case (null, null):
                return true;
            case (null, _) or (_, null):
                return false;
            case (string x, string y):
                budget.TakeText(Math.Min(x.Length, y.Length));
                return x == y;
            case (byte[] x, byte[] y):
                budget.TakeText(Math.Min(x.Length, y.Length));
                return x.AsSpan().SequenceEqual(y);
            case (IDictionary x, IDictionary y):
                return SameMaps(x, y, budget);
            case (IList x, IList y):
                return SameLists(x, y, budget);
            case (CelOptional x, CelOptional y):
                return x.HasValue == y.HasValue && (!x.HasValue || AreEqual(x.Value, y.Value, budget));
            default:
                return IsNumber(a) && IsNumber(b) ? CompareNumbers(a, b) == 0 : a.Equals(b);
        }
    }

    public static bool IsNumber(object? value) => value is long or ulong or double;

    /// <summary>Null where they cannot be compared (another sort, or NaN).</summary>
    public static int? Compare(object? a, object? b, CelBudget budget)
    {
        budget.Take(1);
        switch (a, b)
        {
            case (string x, string y):
                budget.TakeText(Math.Min(x.Length, y.Length));
                return CompareText(x, y);
            case (bool x, bool y):
                return x.CompareTo(y);
            case (byte[] x, byte[] y):
                return x.AsSpan().SequenceCompareTo(y);
            case (DateTimeOffset x, DateTimeOffset y):
                return x.CompareTo(y);
            case (TimeSpan x, TimeSpan y):
                return x.CompareTo(y);
            case (Quantity x, Quantity y):
                return x.CompareTo(y);
            default:
                return IsNumber(a) && IsNumber(b) ? CompareNumbers(a!, b!) : null;
        }
    }

    /// <summary>A value as the key of a map: whole numbers of any type are the same key.</summary>
    public static object? Find(IDictionary map, object? key, out bool found)
    {
        if (map is IDictionary<string, object?> json)
        {
            object? value = null;
            found = key is string name && json.TryGetValue(name, out value);
            return value;
        }

        foreach (DictionaryEntry entry in map)
        {
            if (entry.Key.Equals(key) || (IsNumber(entry.Key) && IsNumber(key) && CompareNumbers(entry.Key, key!) == 0))
            {
                found = true;
                return entry.Value;
            }
        }

        found = false;
        return null;
    }

    private static int? CompareNumbers(object a, object b) => (a, b) switch
    {
        (long x, long y) => x.CompareTo(y),
        (ulong x, ulong y) => x.CompareTo(y),
        (double x, double y) => double.IsNaN(x) || double.IsNaN(y) ? null : x.CompareTo(y),
        (long x, ulong y) => x < 0 ? -1 : ((ulong)x).CompareTo(y),
        (ulong x, long y) => y < 0 ? 1 : x.CompareTo((ulong)y),
        (double x, long y) => double.IsNaN(x) ? null : x.CompareTo((double)y),
        (long x, double y) => double.IsNaN(y) ? null : ((double)x).CompareTo(y),
        (double x, ulong y) => double.IsNaN(x) ? null : x.CompareTo((double)y),
        (ulong x, double y) => double.IsNaN(y) ? null : ((double)x).CompareTo(y),
        _ => null,
    };

    /// <summary>By code points, as UTF-8 would be.</summary>
    private static int CompareText(string x, string y)
    {
        var (a, b) = (x.EnumerateRunes(), y.EnumerateRunes());
        while (true)
        {
            var (moreA, moreB) = (a.MoveNext(), b.MoveNext());
            if (!moreA || !moreB)
            {
                return moreA.CompareTo(moreB);
            }

            var order = a.Current.CompareTo(b.Current);
            if (order != 0)
            {
                return order;
            }
        }
    }

    private static bool SameLists(IList x, IList y, CelBudget budget)
    {
        if (x.Count != y.Count)
        {
            return false;
        }

        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        for (var i = 0; i < x.Count; i++)
        {
            if (!AreEqual(x[i], y[i], budget))
            {
                return false;
            }
        }

        return true;
    }

    private static bool SameMaps(IDictionary x, IDictionary y, CelBudget budget)
    {
        if (x.Count != y.Count)
        {
            return false;
        }

        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        foreach (DictionaryEntry entry in x)
        {
            var other = Find(y, entry.Key, out var found);
            if (!found || !AreEqual(entry.Value, other, budget))
            {
                return false;
            }
        }

        return true;
    }
}
