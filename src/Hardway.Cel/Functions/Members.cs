using System.Collections;

namespace Hardway.Cel.Functions;

/// <summary>Fields and elements of values.</summary>
internal static class Members
{
    public static bool TryField(object? value, string field, out object? found)
    {
        found = null;
        switch (value)
        {
            case ICelObject own:
                return own.TryGetField(field, out found);
            case IDictionary map:
                found = CelValues.Find(map, field, out var isThere);
                if (!isThere && FieldNames.Unescape(field) is { } original)
                {
                    found = CelValues.Find(map, original, out isThere);
                }

                return isThere;
            default:
                return false;
        }
    }

    public static bool TryIndex(object? value, object? key, out object? found)
    {
        found = null;
        switch (value)
        {
            case IDictionary map:
                found = CelValues.Find(map, key, out var isThere);
                return isThere;
            case IList list and not byte[]:
                var index = key switch
                {
                    long l => l,
                    ulong u when u <= long.MaxValue => (long)u,
                    double d when d == Math.Floor(d) && Math.Abs(d) < 1e15 => (long)d,
                    _ => throw new CelException($"unsupported index type '{CelValues.TypeOf(key)}' in list"),
                };
                if (index < 0 || index >= list.Count)
                {
                    return false;
                }

                found = list[(int)index];
                return true;
            default:
                throw new CelException($"no such overload: {CelValues.TypeOf(value)}[{CelValues.TypeOf(key)}]");
        }
    }

    /// <summary>String keys make what JSON makes.</summary>
    public static IDictionary MakeMap(List<(object Key, object? Value)> entries)
    {
        if (entries.TrueForAll(e => e.Key is string))
        {
            var map = new Dictionary<string, object?>(StringComparer.Ordinal);
            foreach (var (key, value) in entries)
            {
                if (!map.TryAdd((string)key, value))
                {
                    throw new CelException($"insert failed: key {key} already exists");
                }
            }

            return map;
        }

        var any = new Dictionary<object, object?>();
        foreach (var (key, value) in entries)
        {
            CelValues.Find(any, key, out var isThere);
            if (isThere)
            {
                throw new CelException($"insert failed: key {key} already exists");
            }

            any[key] = value;
        }

        return any;
    }
}
