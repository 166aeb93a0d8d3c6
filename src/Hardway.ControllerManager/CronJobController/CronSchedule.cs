using System.Globalization;

namespace Hardway.ControllerManager;

/// <summary>
/// A cron expression of five fields (minute hour day-of-month month day-of-week), or @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually,
/// "@every 1h". When both days are restricted, either counts. Immutable.
/// </summary>
internal sealed class CronSchedule
{
    private static readonly string[] _months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private static readonly string[] _days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    private readonly bool[] _minutes, _hours, _daysOfMonth, _monthsOfYear, _daysOfWeek;
    private readonly bool _anyDayOfMonth, _anyDayOfWeek;
    private readonly TimeSpan? _every;
    private readonly TimeZoneInfo _zone;

    private CronSchedule(TimeSpan every)
    {
        _every = every;
        _zone = TimeZoneInfo.Utc;
        _minutes = _hours = _daysOfMonth = _monthsOfYear = _daysOfWeek = [];
    }

    private CronSchedule(string[] fields, TimeZoneInfo zone)
    {
        _zone = zone;
        _minutes = Field(fields[0], 0, 59, []);
        _hours = Field(fields[1], 0, 23, []);
        _daysOfMonth = Field(fields[2], 1, 31, []);
        _monthsOfYear = Field(fields[3], 1, 12, _months);
        _daysOfWeek = Field(fields[4], 0, 7, _days);
        _daysOfWeek[0] |= _daysOfWeek[7];
        _anyDayOfMonth = fields[2] is ['*' or '?', ..];
        _anyDayOfWeek = fields[4] is ['*' or '?', ..];
    }

    /// <exception cref="FormatException">The text is no schedule.</exception>
    public static CronSchedule Parse(string text, TimeZoneInfo zone)
    {
        text = text.Trim();
        if (text.StartsWith("@every ", StringComparison.Ordinal))
        {
            var every = Hosting.GoDuration.Parse(text["@every ".Length..].Trim());
            return every >= TimeSpan.FromSeconds(1) ? new CronSchedule(every) : throw new FormatException($"\"{text}\" is too often");
        }
        text = text switch
        {
            "@yearly" or "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" or "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            _ => text,
        };
        var fields = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return fields.Length == 5 ? new CronSchedule(fields, zone) : throw new FormatException($"\"{text}\" has {fields.Length} fields, a schedule has 5");
    }

    /// <summary>The first time after; null when there is none within five years (30 February).</summary>
    public DateTimeOffset? Next(DateTimeOffset after)
    {
        if (_every is { } every) return new DateTimeOffset(after.UtcTicks - (after.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero) + every;
        var local = TimeZoneInfo.ConvertTime(after, _zone).DateTime;
        var at = new DateTime(local.Year, local.Month, local.Day, local.Hour, local.Minute, 0, DateTimeKind.Unspecified).AddMinutes(1);
        var end = at.AddYears(5);
        while (at < end)
        {
            if (!_monthsOfYear[at.Month]) { at = new DateTime(at.Year, at.Month, 1, 0, 0, 0, DateTimeKind.Unspecified).AddMonths(1); continue; }
            if (!IsDay(at)) { at = at.Date.AddDays(1); continue; }
            if (!_hours[at.Hour]) { at = at.Date.AddHours(at.Hour + 1); continue; }
            // A time that the clock skips in spring does not come.
            if (!_minutes[at.Minute] || _zone.IsInvalidTime(at)) { at = at.AddMinutes(1); continue; }
            var found = new DateTimeOffset(at, _zone.GetUtcOffset(at));
            if (found > after) return found.ToUniversalTime();
            at = at.AddMinutes(1);
        }
        return null;
    }

    private bool IsDay(DateTime at)
    {
        var byMonth = _daysOfMonth[at.Day];
        var byWeek = _daysOfWeek[(int)at.DayOfWeek];
        return _anyDayOfMonth || _anyDayOfWeek ? byMonth && byWeek : byMonth || byWeek;
    }

    private static bool[] Field(string text, int min, int max, string[] names)
    {
        var set = new bool[max + 1];
        foreach (var part in text.Split(','))
        {
            var slash = part.IndexOf('/', StringComparison.Ordinal);
            var range = slash < 0 ? part : part[..slash];
            var step = slash < 0 ? 1 : Number(part[(slash + 1)..], 1, max, []);
            int from, to;
            var dash = range.IndexOf('-', StringComparison.Ordinal);
            if (range is "*" or "?") (from, to) = (min, max == 7 ? 6 : max);
            else if (dash > 0) (from, to) = (Number(range[..dash], min, max, names), Number(range[(dash + 1)..], min, max, names));
            else (from, to) = (Number(range, min, max, names), slash < 0 ? Number(range, min, max, names) : max);
            if (from > to) throw new FormatException($"\"{part}\": the range ends before it begins");
            for (var i = from; i <= to; i += step) set[i] = true;
        }
        return set;
    }

    private static int Number(string text, int min, int max, string[] names)
    {
        var named = Array.FindIndex(names, n => n.Equals(text, StringComparison.OrdinalIgnoreCase));
        if (named >= 0) return names == _months ? named + 1 : named;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < min || number > max) throw new FormatException($"\"{text}\" is not a number from {min} to {max}");
        return number;
    }
}
