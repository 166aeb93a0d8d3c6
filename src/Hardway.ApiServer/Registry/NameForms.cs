namespace Hardway.ApiServer.Registry;

/// <summary>
/// The forms that names, keys and values take (RFC 1035, RFC 1123, RFC 6335, Kubernetes' qualified names). Whether a text has a form is told without
/// allocation; what is wrong with it is told one by one, as a client hears of each.
/// </summary>
internal static class NameForms
{
    private const int MaxLabel = 63;
    private const int MaxSubdomain = 253;
    private const int MaxPortName = 15;

    public static bool IsDnsLabel(ReadOnlySpan<char> text) => text.Length <= MaxLabel && HasLabelShape(text);

    public static bool IsDnsSubdomain(ReadOnlySpan<char> text) => text.Length <= MaxSubdomain && HasSubdomainShape(text);

    public static bool IsQualifiedName(ReadOnlySpan<char> text)
    {
        var slash = text.IndexOf('/');
        return (slash < 0 || IsDnsSubdomain(text[..slash])) && text[(slash + 1)..] is { Length: > 0 and <= MaxLabel } name && HasNameShape(name);
    }

    public static bool IsLabelValue(ReadOnlySpan<char> text) => text.IsEmpty || (text.Length <= MaxLabel && HasNameShape(text));

    public static bool IsPortName(string text) => !PortName(text).Any();

    public static IEnumerable<string> DnsLabel(string text)
    {
        if (text.Length > MaxLabel) yield return TooLong(MaxLabel);
        if (!HasLabelShape(text)) yield return "a DNS label has lower-case letters, digits and '-', and begins and ends with a letter or digit (my-name, 123-abc)";
    }

    public static IEnumerable<string> Dns1035Label(string text)
    {
        if (text.Length > MaxLabel) yield return TooLong(MaxLabel);
        if (!HasLabelShape(text) || !char.IsAsciiLetterLower(text[0])) yield return "a DNS-1035 label has lower-case letters, digits and '-', begins with a letter and ends with a letter or digit (my-name, abc-123)";
    }

    public static IEnumerable<string> DnsSubdomain(string text)
    {
        if (text.Length > MaxSubdomain) yield return TooLong(MaxSubdomain);
        if (!HasSubdomainShape(text)) yield return "a DNS name has lower-case letters, digits, '-' and '.', and each of its parts begins and ends with a letter or digit (example.com)";
    }

    /// <summary>A label's or annotation's key: an optional DNS subdomain and a slash, then at most 63 characters.</summary>
    public static IEnumerable<string> QualifiedName(string text)
    {
        var slash = text.IndexOf('/');
        var name = text[(slash + 1)..];
        if (name.Contains('/'))
        {
            yield return "a qualified name has at most one '/', between its prefix and its name (example.com/MyName)";
            yield break;
        }

        if (slash == 0) yield return "the prefix before the '/' must not be empty";
        foreach (var fault in slash > 0 ? DnsSubdomain(text[..slash]) : []) yield return "prefix: " + fault;
        if (name.Length == 0) yield return "the name must not be empty";
        if (name.Length > MaxLabel) yield return "name: " + TooLong(MaxLabel);
        if (!HasNameShape(name)) yield return "a name has letters, digits, '-', '_' and '.', and begins and ends with a letter or digit (MyName, my.name)";
    }

    public static IEnumerable<string> LabelValue(string text)
    {
        if (text.Length > MaxLabel) yield return TooLong(MaxLabel);
        if (text.Length > 0 && !HasNameShape(text)) yield return "a label's value is empty or has letters, digits, '-', '_' and '.', and begins and ends with a letter or digit (MyValue, 12345)";
    }

    /// <summary>A key of a ConfigMap or Secret, which becomes a file's name.</summary>
    public static IEnumerable<string> ConfigKey(string text)
    {
        if (text.Length > MaxSubdomain) yield return TooLong(MaxSubdomain);
        if (text.Length == 0 || text.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))) yield return "a key has letters, digits, '-', '_' and '.' (key.name, KEY_NAME)";
        if (text is "." or "..") yield return $"must not be '{text}'";
        else if (text.StartsWith("..", StringComparison.Ordinal)) yield return "must not begin with '..'";
    }

    public static IEnumerable<string> PortName(string text)
    {
        if (text.Length > MaxPortName) yield return TooLong(MaxPortName);
        if (text.Length == 0 || text.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-')) yield return "a port's name has lower-case letters, digits and '-'";
        if (!text.Any(char.IsAsciiLetterLower)) yield return "a port's name has at least one letter";
        if (text.Contains("--", StringComparison.Ordinal)) yield return "must not have two '-' in a row";
        if (text.Length > 0 && (text[0] == '-' || text[^1] == '-')) yield return "must not begin or end with '-'";
    }

    private static string TooLong(int most) => $"must be no more than {most} characters";

    private static bool HasSubdomainShape(ReadOnlySpan<char> text)
    {
        foreach (var part in text.Split('.'))
        {
            if (!HasLabelShape(text[part])) return false;
        }

        return true;
    }

    private static bool HasLabelShape(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-') return false;
        }

        return !text.IsEmpty && text[0] != '-' && text[^1] != '-';
    }

    private static bool HasNameShape(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')) return false;
        }

        return !text.IsEmpty && char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1]);
    }
}
