using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Hardway.Api;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Custom;

/// <summary>The formats of strings that are checked; any other says nothing.</summary>
internal static partial class SchemaFormats
{
    private static readonly Dictionary<string, Func<string, bool>> s_checks = new(StringComparer.Ordinal)
    {
        ["date-time"] = t => DateTimePattern().IsMatch(t) && ApiTime.TryParse(t.ToUpperInvariant(), out _),
        ["datetime"] = t => DateTimePattern().IsMatch(t) && ApiTime.TryParse(t.ToUpperInvariant(), out _),
        ["date"] = t => DateOnly.TryParseExact(t, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        ["duration"] = t => TryDuration(t, out _),
        ["uuid"] = t => Uuid().IsMatch(t),
        ["uuid3"] = t => Uuid().IsMatch(t) && Bare(t)[12] == '3',
        ["uuid4"] = t => Uuid().IsMatch(t) && Bare(t)[12] == '4' && Bare(t)[16] is '8' or '9' or 'a' or 'b' or 'A' or 'B',
        ["uuid5"] = t => Uuid().IsMatch(t) && Bare(t)[12] == '5' && Bare(t)[16] is '8' or '9' or 'a' or 'b' or 'A' or 'B',
        ["ipv4"] = t => IPAddress.TryParse(t, out var a) && a.AddressFamily == AddressFamily.InterNetwork && t.Count(c => c == '.') == 3,
        ["ipv6"] = t => IPAddress.TryParse(t, out var a) && a.AddressFamily == AddressFamily.InterNetworkV6 && !t.Contains('%', StringComparison.Ordinal) && !t.Contains('[', StringComparison.Ordinal),
        ["cidr"] = IsCidr,
        ["mac"] = t => Mac().IsMatch(t),
        ["email"] = t => t.Length <= 320 && Email().IsMatch(t),
        ["hostname"] = IsHostName,
        ["uri"] = t => Uri.TryCreate(t, UriKind.Absolute, out _) || (t.StartsWith('/') && Uri.TryCreate(t, UriKind.Relative, out _)),
        ["isbn"] = t => IsIsbn(t, 10) || IsIsbn(t, 13),
        ["isbn10"] = t => IsIsbn(t, 10),
        ["isbn13"] = t => IsIsbn(t, 13),
        ["creditcard"] = IsCard,
        ["ssn"] = t => Ssn().IsMatch(t),
        ["hexcolor"] = t => HexColor().IsMatch(t),
        ["rgbcolor"] = t => RgbColor().IsMatch(t),
        ["byte"] = t => Base64().IsMatch(t),
        ["password"] = _ => true,
        ["bsonobjectid"] = t => BsonId().IsMatch(t),
        ["k8s-short-name"] = t => ObjectNames.DnsLabel(t) is null,
        ["k8s-long-name"] = t => ObjectNames.DnsSubdomain(t) is null,
    };

    /// <summary>Dashes in a format's name do not count.</summary>
    public static bool Fits(string format, string text) => !s_checks.TryGetValue(format, out var check) || check(text);

    /// <summary>Go's durations (1h30m) and those of words (3 days).</summary>
    public static bool TryDuration(string text, out TimeSpan span)
    {
        if (ApiTime.TryParseDuration(text, out span))
        {
            return true;
        }

        var match = WordDuration().Match(text);
        if (!match.Success || !double.TryParse(match.Groups["n"].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        var unit = match.Groups["u"].Value.ToLowerInvariant() switch
        {
            "ns" or "nano" => 1e-9,
            "us" or "µs" or "micro" => 1e-6,
            "ms" or "milli" => 1e-3,
            "s" or "sec" => 1,
            "m" or "min" => 60,
            "h" or "hr" or "hour" => 3600,
            "d" or "day" => 86_400,
            _ => 604_800.0,
        };
        if (number * unit > 1e10)
        {
            return false;
        }

        span = TimeSpan.FromSeconds(number * unit);
        return true;
    }

    private static string Bare(string uuid) => uuid.Replace("-", "", StringComparison.Ordinal);

    private static bool IsCidr(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && IPAddress.TryParse(text[..slash], out var address) && int.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            && length <= (address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
    }

    private static bool IsHostName(string text) => text.Length is > 0 and <= 255 && text.TrimEnd('.').Split('.').All(l => HostLabel().IsMatch(l));

    private static bool IsIsbn(string text, int length)
    {
        var digits = text.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        if (digits.Length != length || !digits[..(length - 1)].All(char.IsAsciiDigit) || !(char.IsAsciiDigit(digits[^1]) || (length == 10 && digits[^1] is 'X' or 'x')))
        {
            return false;
        }

        var sum = 0;
        for (var i = 0; i < length; i++)
        {
            var digit = char.IsAsciiDigit(digits[i]) ? digits[i] - '0' : 10;
            sum += length == 10 ? digit * (10 - i) : digit * (i % 2 == 0 ? 1 : 3);
        }

        return sum % (length == 10 ? 11 : 10) == 0;
    }

    /// <summary>By the sum of digits that cards have (Luhn).</summary>
    private static bool IsCard(string text)
    {
        var digits = text.Where(char.IsAsciiDigit).Reverse().Select(c => c - '0').ToList();
        return digits.Count is >= 13 and <= 19 && digits.Select((d, i) => i % 2 == 0 ? d : d * 2 > 9 ? (d * 2) - 9 : d * 2).Sum() % 10 == 0;
    }

    [GeneratedRegex(@"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:?\d{2})$")]
    private static partial Regex DateTimePattern();

    [GeneratedRegex("^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$")]
    private static partial Regex Uuid();

    [GeneratedRegex("^([0-9a-fA-F]{2}[:-]){5}([0-9a-fA-F]{2}[:-]?){1}$|^([0-9a-fA-F]{4}\\.){2}[0-9a-fA-F]{4}$|^([0-9a-fA-F]{2}[:-]){7}[0-9a-fA-F]{2}$")]
    private static partial Regex Mac();

    [GeneratedRegex(@"^([^@\s<>]+|[^<>@]*<[^@\s<>]+)@[^@\s<>]+>?$")]
    private static partial Regex Email();

    [GeneratedRegex("^[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?$")]
    private static partial Regex HostLabel();

    [GeneratedRegex(@"^\d{3}[- ]?\d{2}[- ]?\d{4}$")]
    private static partial Regex Ssn();

    [GeneratedRegex("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$")]
    private static partial Regex HexColor();

    [GeneratedRegex(@"^rgb\(\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*\)$")]
    private static partial Regex RgbColor();

    [GeneratedRegex("^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$")]
    private static partial Regex Base64();

    [GeneratedRegex("^[0-9a-fA-F]{24}$")]
    private static partial Regex BsonId();

    [GeneratedRegex(@"^(?<n>\d+(?:\.\d+)?)\s*(?<u>ns|nano|us|µs|micro|ms|milli|sec|s|min|m|hour|hr|h|day|d|week|wk|w)s?$", RegexOptions.IgnoreCase)]
    private static partial Regex WordDuration();
}
