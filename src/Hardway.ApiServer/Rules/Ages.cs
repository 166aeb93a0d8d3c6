using System.Globalization;

namespace Hardway.ApiServer.Rules;

/// <summary>How tables show times: 5s, 3m20s, 2d3h; the two largest units where the first is small.</summary>
internal static class Ages
{
    public const string Unknown = "<unknown>";

    public static string Since(DateTimeOffset? time, DateTimeOffset now) => time is null ? Unknown : Show(now - time.Value);

    public static string Show(TimeSpan span)
    {
        var seconds = (long)span.TotalSeconds;
        if (seconds < -1)
        {
            return "<invalid>";
        }

        if (seconds < 0)
        {
            return "0s";
        }

        if (seconds < 120)
        {
            return Text($"{seconds}s");
        }

        var minutes = seconds / 60;
        if (minutes < 10)
        {
            return seconds % 60 == 0 ? Text($"{minutes}m") : Text($"{minutes}m{seconds % 60}s");
        }

        if (minutes < 180)
        {
            return Text($"{minutes}m");
        }

        var hours = minutes / 60;
        if (hours < 8)
        {
            return minutes % 60 == 0 ? Text($"{hours}h") : Text($"{hours}h{minutes % 60}m");
        }

        if (hours < 48)
        {
            return Text($"{hours}h");
        }

        var days = hours / 24;
        if (hours < 192)
        {
            return hours % 24 == 0 ? Text($"{days}d") : Text($"{days}d{hours % 24}h");
        }

        if (days < 730)
        {
            return Text($"{days}d");
        }

        var years = days / 365;
        return years < 8 && days % 365 != 0 ? Text($"{years}y{days % 365}d") : Text($"{years}y");
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
