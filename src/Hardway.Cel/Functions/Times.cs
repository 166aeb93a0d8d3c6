using System.Globalization;
using Hardway.Api;

namespace Hardway.Cel.Functions;

/// <summary>Timestamps and durations.</summary>
internal static class Times
{
    public static void AddTo(FunctionTable table)
    {
        table.AddGlobal("timestamp", 1, (a, _) => a[0] switch
        {
            DateTimeOffset t => t,
            string s => Parse(s),
            long l when l is >= -62135596800 and <= 253402300799 => DateTimeOffset.FromUnixTimeSeconds(l),
            _ => throw CelException.NoOverload("timestamp"),
        });
        table.AddGlobal("duration", 1, (a, _) => a[0] switch
        {
            TimeSpan t => t,
            string s => ApiTime.TryParseDuration(s, out var span) ? span : throw new CelException($"invalid duration '{(s.Length > 50 ? s[..50] : s)}'"),
            _ => throw CelException.NoOverload("duration"),
        });
        Add(table, "getFullYear", t => t.Year, null);
        Add(table, "getMonth", t => t.Month - 1, null);
        Add(table, "getDate", t => t.Day, null);
        Add(table, "getDayOfMonth", t => t.Day - 1, null);
        Add(table, "getDayOfWeek", t => (long)t.DayOfWeek, null);
        Add(table, "getDayOfYear", t => t.DayOfYear - 1, null);
        Add(table, "getHours", t => t.Hour, s => (long)s.TotalHours);
        Add(table, "getMinutes", t => t.Minute, s => (long)s.TotalMinutes);
        Add(table, "getSeconds", t => t.Second, s => (long)s.TotalSeconds);
        Add(table, "getMilliseconds", t => t.Millisecond, s => s.Milliseconds);
    }

    private static void Add(FunctionTable table, string name, Func<DateTimeOffset, long> ofTime, Func<TimeSpan, long>? ofSpan)
    {
        table.AddMethod(name, 0, (a, _) => a[0] switch
        {
            DateTimeOffset t => ofTime(t.ToUniversalTime()),
            TimeSpan s when ofSpan is not null => ofSpan(s),
            _ => throw CelException.NoOverload(name),
        });
        table.AddMethod(name, 1, (a, _) => a is [DateTimeOffset t, string zone] ? ofTime(InZone(t, zone)) : throw CelException.NoOverload(name));
    }

    private static DateTimeOffset Parse(string text) =>
        text.Length >= 20 && text[4] == '-' && text[10] is 'T' or 't' && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time.ToUniversalTime() : throw new CelException($"invalid timestamp '{(text.Length > 50 ? text[..50] : text)}'");

    private static DateTimeOffset InZone(DateTimeOffset time, string zone)
    {
        if (TimeSpan.TryParseExact(zone.TrimStart('+', '-'), @"hh\:mm", CultureInfo.InvariantCulture, out var offset) && offset < TimeSpan.FromHours(14))
        {
            return time.ToOffset(zone[0] == '-' ? -offset : offset);
        }

        return TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) ? TimeZoneInfo.ConvertTime(time, found) : throw new CelException($"unknown time zone {zone}");
    }
}
