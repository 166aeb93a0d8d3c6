using System.Buffers;
using System.Globalization;
using System.Text;

namespace Hardway.Hosting;

/// <summary>Durations as Go writes and reads them (1h30m0s, 15s, 250ms): the form of every upstream flag and of metav1.Duration.</summary>
public static class GoDuration
{
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan value)
    {
        value = TimeSpan.Zero;
        if (text.IsEmpty) return false;
        var negative = text[0] == '-';
        if (text[0] is '-' or '+') text = text[1..];
        if (text is "0") return true;
        if (text.IsEmpty) return false;
        double ticks = 0;
        while (!text.IsEmpty)
        {
            var digits = text.IndexOfAnyExcept(Digits);
            if (digits < 0) return false;
            if (digits == 0 || !double.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return false;
            text = text[digits..];
            var length = text.IndexOfAny(Digits);
            if (length < 0) length = text.Length;
            if (TicksOf(text[..length]) is not { } unit) return false;
            ticks += number * unit;
            text = text[length..];
        }
        if (ticks > long.MaxValue) return false;
        value = new TimeSpan((long)Math.Round(negative ? -ticks : ticks));
        return true;
    }

    public static TimeSpan Parse(string text) =>
        TryParse(text, out var value) ? value : throw new FormatException($"\"{text}\" is not a duration such as 15s, 1m30s or 250ms");

    public static string Format(TimeSpan value)
    {
        if (value == TimeSpan.Zero) return "0s";
        var text = new StringBuilder();
        if (value < TimeSpan.Zero) { text.Append('-'); value = value.Negate(); }
        if (value < TimeSpan.FromMilliseconds(1)) return text.Append((value.Ticks / 10.0).ToString(CultureInfo.InvariantCulture)).Append("µs").ToString();
        if (value < TimeSpan.FromSeconds(1)) return text.Append((value.Ticks / 10_000.0).ToString(CultureInfo.InvariantCulture)).Append("ms").ToString();
        var hours = (long)value.TotalHours;
        if (hours > 0) text.Append(hours).Append('h');
        if (hours > 0 || value.Minutes > 0) text.Append(value.Minutes).Append('m');
        var seconds = value.Ticks % TimeSpan.TicksPerMinute / (double)TimeSpan.TicksPerSecond;
        return text.Append(seconds.ToString("0.#######", CultureInfo.InvariantCulture)).Append('s').ToString();
    }

    private static double? TicksOf(ReadOnlySpan<char> unit) => unit switch
    {
        "ns" => 0.01,
        "us" or "µs" or "μs" => 10,
        "ms" => TimeSpan.TicksPerMillisecond,
        "s" => TimeSpan.TicksPerSecond,
        "m" => TimeSpan.TicksPerMinute,
        "h" => TimeSpan.TicksPerHour,
        _ => null,
    };
}
