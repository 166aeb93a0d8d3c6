using System.Buffers;
using System.Globalization;

namespace Hardway.Api;

/// <summary>Times and durations as the API writes them: RFC 3339 in UTC, and Go's duration syntax.</summary>
public static class ApiTime
{
    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789.");
    private static readonly SearchValues<char> s_units = SearchValues.Create("hmsnuµμ");

    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string FormatMicro(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    public static bool TryParse(string text, out DateTimeOffset time)
    {
        time = default;
        return text.Length >= 20 && text[4] == '-' && text[10] == 'T'
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
    }

    /// <summary>Go's syntax: 1h2m3.5s, 300ms, 0s.</summary>
    public static string FormatDuration(TimeSpan value)
    {
        if (value == TimeSpan.Zero)
        {
            return "0s";
        }

        var sign = value < TimeSpan.Zero ? "-" : "";
        var span = value.Duration();
        if (span < TimeSpan.FromSeconds(1))
        {
            return sign + (span.TotalMilliseconds >= 1
                ? span.TotalMilliseconds.ToString("0.######", CultureInfo.InvariantCulture) + "ms"
                : span.TotalMicroseconds.ToString("0.###", CultureInfo.InvariantCulture) + "µs");
        }

        var hours = (long)span.TotalHours;
        var seconds = (span.Seconds + ((span.Ticks % TimeSpan.TicksPerSecond) / (double)TimeSpan.TicksPerSecond)).ToString("0.#########", CultureInfo.InvariantCulture);
        return sign + (hours > 0 ? $"{hours}h{span.Minutes}m{seconds}s" : span.Minutes > 0 ? $"{span.Minutes}m{seconds}s" : seconds + "s");
    }

    public static bool TryParseDuration(string? text, out TimeSpan value)
    {
        value = default;
        if (string.IsNullOrEmpty(text))
        {
            return false;
        }

        var rest = text.AsSpan();
        var negative = rest[0] == '-';
        rest = rest[0] is '-' or '+' ? rest[1..] : rest;
        if (rest is "0")
        {
            return true;
        }

        double total = 0;
        while (rest.Length > 0)
        {
            var digits = rest.IndexOfAnyExcept(s_digits);
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            {
                return false;
            }

            rest = rest[digits..];
            var unit = rest.IndexOfAny(s_digits);
            var name = unit < 0 ? rest : rest[..unit];
            var seconds = name switch { "h" => 3600.0, "m" => 60, "s" => 1, "ms" => 1e-3, "us" or "µs" or "μs" => 1e-6, "ns" => 1e-9, _ => -1 };
            if (seconds < 0)
            {
                return false;
            }

            total += number * seconds;
            rest = unit < 0 ? [] : rest[unit..];
        }

        if (total > TimeSpan.MaxValue.TotalSeconds)
        {
            return false;
        }

        value = TimeSpan.FromTicks((long)Math.Round((negative ? -total : total) * TimeSpan.TicksPerSecond));
        return text.AsSpan().IndexOfAny(s_units) > 0;
    }
}
