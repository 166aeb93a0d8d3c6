using System.Collections;
using System.Globalization;
using System.Text;
using Hardway.Api;

namespace Hardway.Cel.Functions;

/// <summary>From one type to another.</summary>
internal static class Conversions
{
    public static void AddTo(FunctionTable table)
    {
        table.AddGlobal("dyn", 1, (a, _) => a[0]);
        table.AddGlobal("type", 1, (a, _) => new CelType(CelValues.TypeOf(a[0])));
        table.AddGlobal("bool", 1, (a, _) => a[0] switch
        {
            bool b => b,
            "true" or "True" or "TRUE" or "t" or "1" => true,
            "false" or "False" or "FALSE" or "f" or "0" => false,
            _ => throw CelException.NoOverload("bool"),
        });
        table.AddGlobal("int", 1, (a, _) => a[0] switch
        {
            long l => l,
            ulong u => checked((long)u),
            double d when d > -9.223372036854775e18 && d < 9.223372036854775e18 => (long)d,
            double => throw new CelException("integer overflow"),
            string s => long.TryParse(s, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var l) ? l : throw Wrong(s, "int"),
            DateTimeOffset t => t.ToUnixTimeSeconds(),
            TimeSpan t => (long)t.TotalNanoseconds,
            _ => throw CelException.NoOverload("int"),
        });
        table.AddGlobal("uint", 1, (a, _) => a[0] switch
        {
            ulong u => u,
            long l => checked((ulong)l),
            double d when d >= 0 && d < 1.8446744073709e19 => (ulong)d,
            double => throw new CelException("unsigned integer overflow"),
            string s => ulong.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var u) ? u : throw Wrong(s, "uint"),
            _ => throw CelException.NoOverload("uint"),
        });
        table.AddGlobal("double", 1, (a, _) => a[0] switch
        {
            double d => d,
            long l => (double)l,
            ulong u => (double)u,
            string s => double.TryParse(s, NumberStyles.Float, CultureInfo.InvariantCulture, out var d) ? d : throw Wrong(s, "double"),
            _ => throw CelException.NoOverload("double"),
        });
        table.AddGlobal("bytes", 1, (a, _) => a[0] switch { byte[] b => b, string s => Encoding.UTF8.GetBytes(s), _ => throw CelException.NoOverload("bytes") });
        table.AddGlobal("string", 1, (a, b) => Text(a[0], b));
        table.AddGlobal("size", 1, Size);
        table.AddMethod("size", 0, Size);
    }

    public static string Text(object? value, CelBudget budget)
    {
        switch (value)
        {
            case string s:
                budget.TakeText(s.Length);
                return s;
            case bool b:
                return b ? "true" : "false";
            case long l:
                return l.ToString(CultureInfo.InvariantCulture);
            case ulong u:
                return u.ToString(CultureInfo.InvariantCulture);
            case double d:
                return d.ToString("R", CultureInfo.InvariantCulture);
            case byte[] b:
                budget.TakeText(b.Length);
                try
                {
                    return new UTF8Encoding(false, true).GetString(b);
                }
                catch (DecoderFallbackException e)
                {
                    throw new CelException("invalid UTF-8 in bytes, cannot convert to string", e);
                }

            case DateTimeOffset t:
                return t.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
            case TimeSpan t:
                return t.TotalSeconds.ToString("R", CultureInfo.InvariantCulture) + "s";
            case CelType t:
                return t.Name;
            case IpValue ip:
                return ip.Address.ToString();
            case CidrValue cidr:
                return cidr.ToString();
            case Quantity q:
                return q.ToString();
            default:
                throw CelException.NoOverload("string");
        }
    }

    private static object Size(object?[] a, CelBudget budget)
    {
        switch (a[0])
        {
            case string s:
                budget.TakeText(s.Length);
                return Texts.Length(s);
            case byte[] b:
                return (long)b.Length;
            case ICollection c:
                return (long)c.Count;
            default:
                throw CelException.NoOverload("size");
        }
    }

    private static CelException Wrong(string text, string type) => new($"type conversion error from '{(text.Length > 50 ? text[..50] : text)}' to '{type}'");
}
