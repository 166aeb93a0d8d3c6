using System.Globalization;

namespace Hardway.ApiServer.Rules.Batch;

/// <summary>Whether a cron schedule can be read: five fields, or @hourly, @daily, @every 1h30m and their kin.</summary>
internal static class CronSchedule
{
    private static readonly (int Low, int High, string[] Names)[] s_fields =
    [
        (0, 59, []), (0, 23, []), (1, 31, []),
        (1, 12, ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
        (0, 6, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
    ];

    /// <summary>What is wrong, or null.</summary>
    public static string? Fault(string schedule, bool hasZone)
    {
        var text = schedule.Trim();
        if (text.StartsWith("TZ=", StringComparison.Ordinal) || text.StartsWith("CRON_TZ=", StringComparison.Ordinal))
        {
            return hasZone ? "cannot use both timeZone field and TZ or CRON_TZ in schedule" : "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        }

        if (text.StartsWith("@every ", StringComparison.Ordinal))
        {
            return Api.ApiTime.TryParseDuration(text["@every ".Length..], out _) ? null : "has no duration after @every";
        }

        if (text.StartsWith('@'))
        {
            return text is "@yearly" or "@annually" or "@monthly" or "@weekly" or "@daily" or "@midnight" or "@hourly" ? null : "is no known descriptor";
        }

        var fields = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != 5)
        {
            return $"expected exactly 5 fields, found {fields.Length}";
        }

        for (var i = 0; i < 5; i++)
        {
            if (!fields[i].Split(',').All(part => IsPart(part, s_fields[i])))
            {
                return $"field {i + 1} (\"{fields[i]}\") cannot be read";
            }
        }

        return null;
    }

    public static bool IsTimeZone(string name) =>
        !name.Contains("..", StringComparison.Ordinal) && !name.StartsWith('/') && TimeZoneInfo.TryFindSystemTimeZoneById(name, out _);

    private static bool IsPart(string part, (int Low, int High, string[] Names) field)
    {
        var slash = part.IndexOf('/');
        if (slash >= 0 && !(int.TryParse(part[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var step) && step > 0))
        {
            return false;
        }

        var range = slash < 0 ? part : part[..slash];
        if (range is "*" or "?")
        {
            return true;
        }

        var dash = range.IndexOf('-');
        if (dash < 0)
        {
            return Value(range, field) is not null;
        }

        return Value(range[..dash], field) is { } from && Value(range[(dash + 1)..], field) is { } to && from <= to;
    }

    private static int? Value(string text, (int Low, int High, string[] Names) field)
    {
        var at = Array.IndexOf(field.Names, text.ToLowerInvariant());
        if (at >= 0)
        {
            return at + field.Low;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= field.Low && number <= field.High ? number : null;
    }
}
