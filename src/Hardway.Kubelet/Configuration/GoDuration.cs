using System.Buffers;
using System.Globalization;

namespace Hardway.Kubelet.Configuration;

/// <summary>Durations as configuration files write them: a sequence of decimal numbers with units, such as 1h15m or 1.5s.</summary>
internal static class GoDuration
{
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var rest = text.AsSpan();
        var negative = rest.StartsWith("-");
        if (rest.StartsWith("-") || rest.StartsWith("+"))
            rest = rest[1..];
        if (rest.SequenceEqual("0"))
            return true;
        if (rest.IsEmpty)
            return false;
        var ticks = 0d;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(Digits);
            if (digits <= 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return false;
            rest = rest[digits..];
            var end = rest.IndexOfAny(Digits);
            var unit = end < 0 ? rest : rest[..end];
            if (TicksOf(unit) is not { } scale)
                return false;
            ticks += number * scale;
            rest = rest[unit.Length..];
        }
        if (ticks > TimeSpan.MaxValue.Ticks / 2d)
            return false;
        duration = TimeSpan.FromTicks((long)(negative ? -ticks : ticks));
        return true;
    }

    private static double? TicksOf(ReadOnlySpan<char> unit) => unit switch
    {
        "ns" => 0.01,
        "us" or "µs" => TimeSpan.TicksPerMicrosecond,
        "ms" => TimeSpan.TicksPerMillisecond,
        "s" => TimeSpan.TicksPerSecond,
        "m" => TimeSpan.TicksPerMinute,
        "h" => TimeSpan.TicksPerHour,
        _ => null,
    };
}
