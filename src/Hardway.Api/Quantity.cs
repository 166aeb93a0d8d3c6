using System.Globalization;

namespace Hardway.Api;

/// <summary>
/// A resource amount: a fixed-point number with the notation it was written in (binary: Ki, decimal: k, or exponent: e3).
/// Kept in billionths; what is finer is rounded away from zero, as the API does. ToString is the canonical form.
/// </summary>
public readonly struct Quantity : IEquatable<Quantity>, IComparable<Quantity>
{
    private const long Nano = 1_000_000_000;
    private static readonly string[] s_decimal = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
    private static readonly string[] s_binary = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    private readonly Int128 _nano;
    private readonly Notation _notation;

    private Quantity(Int128 nano, Notation notation)
    {
        _nano = nano;
        _notation = notation;
    }

    private enum Notation : byte
    {
        Decimal,
        Binary,
        Exponent,
    }

    public static Quantity Zero { get; }

    public bool IsZero => _nano == 0;

    public int Sign => Int128.Sign(_nano);

    /// <summary>In whole units, rounded up.</summary>
    public long Value => Saturate(CeilDivide(_nano, Nano));

    /// <summary>In thousandths, rounded up.</summary>
    public long MilliValue => Saturate(CeilDivide(_nano, Nano / 1000));

    public static Quantity operator +(Quantity a, Quantity b) => new(a._nano + b._nano, a.IsZero ? b._notation : a._notation);

    public static Quantity operator -(Quantity a, Quantity b) => new(a._nano - b._nano, a.IsZero ? b._notation : a._notation);

    public static bool operator ==(Quantity a, Quantity b) => a._nano == b._nano;

    public static bool operator !=(Quantity a, Quantity b) => a._nano != b._nano;

    public static bool operator <(Quantity a, Quantity b) => a._nano < b._nano;

    public static bool operator >(Quantity a, Quantity b) => a._nano > b._nano;

    public static bool operator <=(Quantity a, Quantity b) => a._nano <= b._nano;

    public static bool operator >=(Quantity a, Quantity b) => a._nano >= b._nano;

    public static Quantity FromValue(long value) => new((Int128)value * Nano, Notation.Decimal);

    /// <summary>A number of bytes, shown with Ki, Mi...</summary>
    public static Quantity FromBytes(long value) => new((Int128)value * Nano, Notation.Binary);

    public static Quantity FromMilli(long value) => new((Int128)value * (Nano / 1000), Notation.Decimal);

    public static Quantity Parse(string text) =>
        TryParse(text, out var value) ? value : throw new FormatException($"\"{text}\" is not a quantity: write a number with an optional suffix such as 500m, 2, 64Mi or 1e3");

    public static bool TryParse(string? text, out Quantity value)
    {
        value = default;
        if (string.IsNullOrEmpty(text) || text.Length > 128)
        {
            return false;
        }

        var end = 0;
        if (text[0] is '+' or '-')
        {
            end = 1;
        }

        var digitsFrom = end;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] == '.'))
        {
            end++;
        }

        var number = text.AsSpan(digitsFrom, end - digitsFrom);
        if (number.Length == 0 || number.Count('.') > 1 || number is ".")
        {
            return false;
        }

        if (!TrySuffix(text.AsSpan(end), out var notation, out var power, out var factor))
        {
            return false;
        }

        if (!TryScale(number, power, factor, out var nano))
        {
            return false;
        }

        value = new Quantity(text[0] == '-' ? -nano : nano, notation);
        return true;
    }

    public int CompareTo(Quantity other) => _nano.CompareTo(other._nano);

    public bool Equals(Quantity other) => _nano == other._nano;

    public override bool Equals(object? obj) => obj is Quantity other && Equals(other);

    public override int GetHashCode() => _nano.GetHashCode();

    public double ToDouble() => (double)_nano / Nano;

    /// <summary>The canonical form: no fraction, the largest suffix that keeps the number whole.</summary>
    public override string ToString()
    {
        if (_nano == 0)
        {
            return "0";
        }

        var absolute = Int128.Abs(_nano);
        var sign = _nano < 0 ? "-" : "";
        if (_notation == Notation.Binary && absolute >= (Int128)1024 * Nano)
        {
            // A fraction of a binary amount is rounded up to a whole.
            var whole = CeilDivide(absolute, Nano);
            var step = 0;
            while (step < s_binary.Length - 1 && whole % 1024 == 0)
            {
                whole /= 1024;
                step++;
            }

            return sign + whole.ToString(CultureInfo.InvariantCulture) + s_binary[step];
        }

        var rest = absolute;
        var index = 0;
        var last = _notation == Notation.Exponent ? 9 : s_decimal.Length - 1;
        while (index < last && rest % 1000 == 0)
        {
            rest /= 1000;
            index++;
        }

        var digits = rest.ToString(CultureInfo.InvariantCulture);
        var exponent = (index - 3) * 3;
        return sign + digits + (_notation == Notation.Exponent ? (exponent == 0 ? "" : "e" + exponent.ToString(CultureInfo.InvariantCulture)) : s_decimal[index]);
    }

    private static bool TrySuffix(ReadOnlySpan<char> suffix, out Notation notation, out int power, out Int128 factor)
    {
        notation = Notation.Decimal;
        power = 0;
        factor = 1;
        if (suffix.Length == 0)
        {
            return true;
        }

        if (suffix.Length == 2 && suffix[1] == 'i')
        {
            for (var i = 1; i < s_binary.Length; i++)
            {
                factor *= 1024;
                if (suffix.SequenceEqual(s_binary[i]))
                {
                    notation = Notation.Binary;
                    return true;
                }
            }

            return false;
        }

        for (var i = 0; i < s_decimal.Length; i++)
        {
            if (s_decimal[i].Length > 0 && suffix.SequenceEqual(s_decimal[i]))
            {
                power = (i - 3) * 3;
                return true;
            }
        }

        notation = Notation.Exponent;
        return suffix[0] is 'e' or 'E' && suffix.Length is > 1 and < 6
            && int.TryParse(suffix[1..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out power);
    }

    private static bool TryScale(ReadOnlySpan<char> number, int power, Int128 factor, out Int128 nano)
    {
        nano = 0;
        var point = number.IndexOf('.');
        var fraction = point < 0 ? 0 : number.Length - point - 1;
        Int128 digits = 0;
        var seen = 0;
        foreach (var c in number)
        {
            if (c == '.')
            {
                continue;
            }

            if (digits > 0 || c != '0')
            {
                seen++;
            }

            if (seen > 27)
            {
                return Cap(out nano);
            }

            digits = (digits * 10) + (c - '0');
        }

        digits *= factor;
        var shift = 9 + power - fraction;
        if (digits == 0)
        {
            return true;
        }

        for (; shift > 0; shift--)
        {
            if (digits > Int128.MaxValue / 10)
            {
                return Cap(out nano);
            }

            digits *= 10;
        }

        var inexact = false;
        for (; shift < 0 && digits > 0; shift++)
        {
            inexact |= digits % 10 != 0;
            digits /= 10;
        }

        nano = inexact ? digits + 1 : digits;
        var max = (Int128)long.MaxValue * Nano;
        nano = factor == 1 && nano > max ? max : nano;
        return true;
    }

    private static bool Cap(out Int128 nano)
    {
        nano = (Int128)long.MaxValue * Nano;
        return true;
    }

    private static Int128 CeilDivide(Int128 value, long by)
    {
        var (quotient, rest) = Int128.DivRem(value, by);
        return rest > 0 ? quotient + 1 : quotient;
    }

    private static long Saturate(Int128 value) => value > long.MaxValue ? long.MaxValue : value < long.MinValue ? long.MinValue : (long)value;
}
