using System.Collections;
using System.Globalization;
using System.Text;

namespace Hardway.Cel.Functions;

/// <summary>Strings, by code points: the standard's, and the extension that Kubernetes takes.</summary>
internal static class Texts
{
    private const int Largest = 10_000_000;

    public static void AddTo(FunctionTable table)
    {
        table.AddMethod("contains", 1, (a, b) => Both(a, b, "contains", (s, t) => s.Contains(t, StringComparison.Ordinal)));
        table.AddMethod("startsWith", 1, (a, b) => Both(a, b, "startsWith", (s, t) => s.StartsWith(t, StringComparison.Ordinal)));
        table.AddMethod("endsWith", 1, (a, b) => Both(a, b, "endsWith", (s, t) => s.EndsWith(t, StringComparison.Ordinal)));
        table.AddMethod("lowerAscii", 0, (a, b) => One(a, b, "lowerAscii", s => string.Create(s.Length, s, (span, from) => Ascii(from, span, lower: true))));
        table.AddMethod("upperAscii", 0, (a, b) => One(a, b, "upperAscii", s => string.Create(s.Length, s, (span, from) => Ascii(from, span, lower: false))));
        table.AddMethod("trim", 0, (a, b) => One(a, b, "trim", s => s.Trim()));
        table.AddMethod("reverse", 0, (a, b) => a[0] is IList and not byte[] ? Lists.Reverse(a, b) : One(a, b, "reverse", s => string.Concat(Runes(s).Reverse().Select(r => r.ToString()))));
        table.AddMethod("charAt", 1, CharAt);
        table.AddMethod("indexOf", 1, (a, b) => a[0] is string ? IndexOf(a, b) : Lists.IndexOf(a, b));
        table.AddMethod("indexOf", 2, IndexOf);
        table.AddMethod("lastIndexOf", 1, (a, b) => a[0] is string ? LastIndexOf(a, b) : Lists.LastIndexOf(a, b));
        table.AddMethod("lastIndexOf", 2, LastIndexOf);
        table.AddMethod("substring", 1, Substring);
        table.AddMethod("substring", 2, Substring);
        table.AddMethod("replace", 2, Replace);
        table.AddMethod("replace", 3, Replace);
        table.AddMethod("split", 1, Split);
        table.AddMethod("split", 2, Split);
        table.AddMethod("join", 0, Join);
        table.AddMethod("join", 1, Join);
        table.AddMethod("format", 1, Format);
        table.AddGlobal("strings.quote", 1, (a, b) => One(a, b, "strings.quote", Quote));
        table.AddGlobal("jsonpatch.escapeKey", 1, (a, b) => One(a, b, "jsonpatch.escapeKey", s => s.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)));
        table.AddGlobal("base64.encode", 1, (a, b) => a[0] is byte[] bytes ? Take(Convert.ToBase64String(bytes), b) : throw CelException.NoOverload("base64.encode"));
        table.AddGlobal("base64.decode", 1, Decode);
    }

    public static long Length(string text)
    {
        var length = 0L;
        foreach (var _ in text.EnumerateRunes())
        {
            length++;
        }

        return length;
    }

    private static Rune[] Runes(string text) => [.. text.EnumerateRunes()];

    private static string Concat(ReadOnlySpan<Rune> runes)
    {
        var builder = new StringBuilder(runes.Length);
        foreach (var rune in runes)
        {
            builder.Append(rune.ToString());
        }

        return builder.ToString();
    }

    private static void Ascii(string from, Span<char> to, bool lower)
    {
        for (var i = 0; i < from.Length; i++)
        {
            to[i] = lower && char.IsAsciiLetterUpper(from[i]) ? (char)(from[i] | 0x20) : !lower && char.IsAsciiLetterLower(from[i]) ? (char)(from[i] & ~0x20) : from[i];
        }
    }

    private static object One<T>(object?[] a, CelBudget budget, string name, Func<string, T> function)
    {
        if (a[0] is not string text)
        {
            throw CelException.NoOverload(name);
        }

        budget.TakeText(text.Length);
        return function(text)!;
    }

    private static object Both(object?[] a, CelBudget budget, string name, Func<string, string, bool> function)
    {
        if (a is not [string text, string other])
        {
            throw CelException.NoOverload(name);
        }

        budget.TakeText(text.Length);
        return function(text, other);
    }

    private static string Take(string text, CelBudget budget)
    {
        budget.TakeText(text.Length);
        return text;
    }

    private static object CharAt(object?[] a, CelBudget budget)
    {
        if (a is not [string text, long index])
        {
            throw CelException.NoOverload("charAt");
        }

        budget.TakeText(text.Length);
        var runes = Runes(text);
        return index < 0 || index > runes.Length ? throw OutOfRange(index) : index == runes.Length ? "" : runes[index].ToString();
    }

    private static object IndexOf(object?[] a, CelBudget budget)
    {
        if (a is not [string text, string other, ..] || (a.Length > 2 && a[2] is not long))
        {
            throw CelException.NoOverload("indexOf");
        }

        budget.Take(1 + ((long)text.Length * (other.Length + 9) / 10));
        var (runes, wanted) = (Runes(text), Runes(other));
        var from = a.Length > 2 ? (long)a[2]! : 0;
        if (wanted.Length == 0)
        {
            return from;
        }

        if (from < 0 || from > runes.Length)
        {
            throw OutOfRange(from);
        }

        var found = runes.AsSpan((int)from).IndexOf(wanted);
        return found < 0 ? -1L : found + from;
    }

    private static object LastIndexOf(object?[] a, CelBudget budget)
    {
        if (a is not [string text, string other, ..] || (a.Length > 2 && a[2] is not long))
        {
            throw CelException.NoOverload("lastIndexOf");
        }

        budget.Take(1 + ((long)text.Length * (other.Length + 9) / 10));
        var (runes, wanted) = (Runes(text), Runes(other));
        var last = a.Length > 2 ? (long)a[2]! : runes.Length;
        if (last < 0 || last > runes.Length)
        {
            throw OutOfRange(last);
        }

        if (wanted.Length == 0)
        {
            return last;
        }

        return (long)runes.AsSpan(0, (int)Math.Min(runes.Length, last + wanted.Length)).LastIndexOf(wanted);
    }

    private static object Substring(object?[] a, CelBudget budget)
    {
        if (a is not [string text, long start, ..] || (a.Length > 2 && a[2] is not long))
        {
            throw CelException.NoOverload("substring");
        }

        budget.TakeText(text.Length);
        var runes = Runes(text);
        var end = a.Length > 2 ? (long)a[2]! : runes.Length;
        if (start < 0 || start > runes.Length)
        {
            throw OutOfRange(start);
        }

        if (end < 0 || end > runes.Length)
        {
            throw OutOfRange(end);
        }

        return start > end ? throw new CelException($"invalid substring range. start: {start}, end: {end}") : Concat(runes.AsSpan((int)start, (int)(end - start)));
    }

    private static object Replace(object?[] a, CelBudget budget)
    {
        if (a is not [string text, string old, string by, ..] || (a.Length > 3 && a[3] is not long))
        {
            throw CelException.NoOverload("replace");
        }

        var most = a.Length > 3 ? (long)a[3]! : -1;
        if (old.Length == 0)
        {
            // Between all characters, as Go does.
            var pieces = Runes(text).Select(r => r.ToString()).ToList();
            var between = new StringBuilder();
            for (var i = 0; i <= pieces.Count; i++)
            {
                between.Append(most < 0 || i < most ? by : "").Append(i < pieces.Count ? pieces[i] : "");
                budget.TakeText(by.Length);
                Bound(between.Length);
            }

            return between.ToString();
        }

        var result = new StringBuilder();
        var at = 0;
        for (var n = 0L; most < 0 || n < most; n++)
        {
            var found = text.IndexOf(old, at, StringComparison.Ordinal);
            if (found < 0)
            {
                break;
            }

            result.Append(text, at, found - at).Append(by);
            budget.TakeText(found - at + by.Length);
            Bound(result.Length);
            at = found + old.Length;
        }

        budget.TakeText(text.Length - at);
        return result.Append(text, at, text.Length - at).ToString();
    }

    private static object Split(object?[] a, CelBudget budget)
    {
        if (a is not [string text, string separator, ..] || (a.Length > 2 && a[2] is not long))
        {
            throw CelException.NoOverload("split");
        }

        budget.TakeText(text.Length);
        var most = a.Length > 2 ? (long)a[2]! : -1;
        if (most == 0)
        {
            return new List<object?>();
        }

        var parts = separator.Length == 0
            ? SplitAll(text, most)
            : most < 0 ? text.Split(separator) : text.Split(separator, (int)Math.Min(most, int.MaxValue));
        budget.Take(parts.Length);
        return new List<object?>(parts);
    }

    private static string[] SplitAll(string text, long most)
    {
        var runes = Runes(text).Select(r => r.ToString()).ToArray();
        return most < 0 || most >= runes.Length ? runes : [.. runes[..(int)(most - 1)], string.Concat(runes[(int)(most - 1)..])];
    }

    private static object Join(object?[] a, CelBudget budget)
    {
        if (a[0] is not IList list || (a.Length > 1 && a[1] is not string))
        {
            throw CelException.NoOverload("join");
        }

        var separator = a.Length > 1 ? (string)a[1]! : "";
        var result = new StringBuilder();
        for (var i = 0; i < list.Count; i++)
        {
            var text = list[i] as string ?? throw CelException.NoOverload("join");
            result.Append(i > 0 ? separator : "").Append(text);
            budget.TakeText(text.Length + separator.Length);
            Bound(result.Length);
        }

        return result.ToString();
    }

    private static object Format(object?[] a, CelBudget budget)
    {
        if (a is not [string pattern, IList values])
        {
            throw CelException.NoOverload("format");
        }

        var result = new StringBuilder();
        var next = 0;
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] != '%')
            {
                result.Append(pattern[i]);
                continue;
            }

            i++;
            if (i < pattern.Length && pattern[i] == '%')
            {
                result.Append('%');
                continue;
            }

            var precision = -1;
            if (i < pattern.Length && pattern[i] == '.')
            {
                var start = ++i;
                while (i < pattern.Length && char.IsAsciiDigit(pattern[i]))
                {
                    i++;
                }

                precision = int.TryParse(pattern.AsSpan(start, i - start), CultureInfo.InvariantCulture, out var p) && p <= 100 ? p : throw new CelException("could not parse formatting clause: bad precision");
            }

            if (i >= pattern.Length)
            {
                throw new CelException("unexpected end of format string");
            }

            if (next >= values.Count)
            {
                throw new CelException($"index {next} out of range");
            }

            var text = FormatOne(pattern[i], values[next++], precision, budget);
            budget.TakeText(text.Length);
            Bound(result.Length);
            result.Append(text);
        }

        budget.TakeText(pattern.Length);
        return result.ToString();
    }

    private static string FormatOne(char verb, object? value, int precision, CelBudget budget) => (verb, value) switch
    {
        ('s', _) => Show(value, budget),
        ('d', long l) => l.ToString(CultureInfo.InvariantCulture),
        ('d', ulong u) => u.ToString(CultureInfo.InvariantCulture),
        ('f', double or long or ulong) => Convert.ToDouble(value, CultureInfo.InvariantCulture).ToString("F" + (precision < 0 ? 6 : precision), CultureInfo.InvariantCulture),
        ('e', double or long or ulong) => Exponent(Convert.ToDouble(value, CultureInfo.InvariantCulture), precision < 0 ? 6 : precision),
        ('b', bool b) => b ? "1" : "0",
        ('b', long l) => (l < 0 ? "-" : "") + Convert.ToString(Math.Abs(l), 2),
        ('o', long l) => Convert.ToString(l, 8),
        ('x', long l) => l.ToString("x", CultureInfo.InvariantCulture),
        ('X', long l) => l.ToString("X", CultureInfo.InvariantCulture),
        ('x', string s) => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(s)),
        ('X', string s) => Convert.ToHexString(Encoding.UTF8.GetBytes(s)),
        ('x', byte[] b) => Convert.ToHexStringLower(b),
        ('X', byte[] b) => Convert.ToHexString(b),
        ('d' or 'f' or 'e' or 'b' or 'o' or 'x' or 'X', _) => throw new CelException($"error during formatting: %{verb} does not take {CelValues.TypeOf(value)}"),
        _ => throw new CelException($"could not parse formatting clause: unrecognized formatting clause \"{verb}\""),
    };

    private static string Exponent(double value, int precision)
    {
        var text = value.ToString("e" + precision, CultureInfo.InvariantCulture);
        var e = text.IndexOf('e', StringComparison.Ordinal);
        return text[..(e + 2)] + text[(e + 2)..].TrimStart('0').PadLeft(2, '0');
    }

    private static string Show(object? value, CelBudget budget)
    {
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        budget.Take(1);
        return value switch
        {
            null => "null",
            IDictionary map => "{" + string.Join(", ", map.Keys.Cast<object?>().Select(k => (Key: Show(k, budget), Value: CelValues.Find(map, k, out _))).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}: {Show(p.Value, budget)}")) + "}",
            IList list and not byte[] => "[" + string.Join(", ", list.Cast<object?>().Select(v => Show(v, budget))) + "]",
            _ => Conversions.Text(value, budget),
        };
    }

    private static string Quote(string text)
    {
        var result = new StringBuilder("\"");
        foreach (var c in text)
        {
            result.Append(c switch { '\\' => "\\\\", '"' => "\\\"", '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", '\a' => "\\a", '\b' => "\\b", '\f' => "\\f", '\v' => "\\v", _ => c.ToString() });
        }

        return result.Append('"').ToString();
    }

    private static object Decode(object?[] a, CelBudget budget)
    {
        if (a[0] is not string text)
        {
            throw CelException.NoOverload("base64.decode");
        }

        budget.TakeText(text.Length);
        var padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
        var bytes = new byte[padded.Length];
        return Convert.TryFromBase64String(padded, bytes, out var length) ? bytes[..length] : throw new CelException("illegal base64 data");
    }

    private static void Bound(int length)
    {
        if (length > Largest)
        {
            throw new CelBudgetException();
        }
    }

    private static CelException OutOfRange(long index) => new($"index out of range: {index}");
}
