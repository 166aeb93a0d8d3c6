using System.Text.RegularExpressions;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules;

/// <summary>The forms that names, keys and ports take (RFC 1035, RFC 1123, RFC 6335, Kubernetes' qualified names), as checks that report.</summary>
internal static partial class Names
{
    public static bool IsDnsLabel(string text) => text.Length is > 0 and <= 63 && DnsLabel().IsMatch(text);

    public static bool IsDnsSubdomain(string text) => text.Length is > 0 and <= 253 && DnsSubdomain().IsMatch(text);

    public static bool IsQualifiedName(string text)
    {
        var slash = text.IndexOf('/');
        var name = slash < 0 ? text : text[(slash + 1)..];
        return (slash < 0 || IsDnsSubdomain(text[..slash])) && name.Length is > 0 and <= 63 && QualifiedPart().IsMatch(name);
    }

    public static bool IsLabelValue(string text) => text.Length <= 63 && (text.Length == 0 || QualifiedPart().IsMatch(text));

    public static bool IsPortName(string text) =>
        text.Length is > 0 and <= 15 && PortCharacters().IsMatch(text) && text.Any(char.IsAsciiLetter) && !text.Contains("--", StringComparison.Ordinal) && text[0] != '-' && text[^1] != '-';

    public static void CheckDnsLabel(ErrorList errors, FieldPath path, string text)
    {
        if (!IsDnsLabel(text))
        {
            errors.Invalid(path, text, "is no DNS label: at most 63 lower-case letters, digits and '-', beginning and ending with a letter or digit");
        }
    }

    public static void CheckDnsSubdomain(ErrorList errors, FieldPath path, string text)
    {
        if (!IsDnsSubdomain(text))
        {
            errors.Invalid(path, text, "is no DNS name: lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit");
        }
    }

    public static void CheckLabelKey(ErrorList errors, FieldPath path, string text)
    {
        if (!IsQualifiedName(text))
        {
            errors.Invalid(path, text, "is no qualified name: an optional DNS prefix with '/', then at most 63 letters, digits, '-', '_' and '.'");
        }
    }

    public static void CheckLabelValue(ErrorList errors, FieldPath path, string text)
    {
        if (!IsLabelValue(text))
        {
            errors.Invalid(path, text, "is no label value: at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit");
        }
    }

    public static void CheckLabels(ErrorList errors, FieldPath path, Dictionary<string, string>? labels)
    {
        foreach (var (key, value) in labels ?? [])
        {
            CheckLabelKey(errors, path, key);
            CheckLabelValue(errors, path.Key(key), value);
        }
    }

    public static void CheckConfigKey(ErrorList errors, FieldPath path, string key)
    {
        if (key.Length is 0 or > 253 || !ConfigKey().IsMatch(key) || key is "." or ".." || key.StartsWith("..", StringComparison.Ordinal))
        {
            errors.Invalid(path, key, "is no key: at most 253 letters, digits, '-', '_' and '.'");
        }
    }

    public static void CheckPort(ErrorList errors, FieldPath path, int port)
    {
        if (port is < 1 or > 65535)
        {
            errors.Invalid(path, port, "must be between 1 and 65535");
        }
    }

    public static void CheckPortName(ErrorList errors, FieldPath path, string name)
    {
        if (!IsPortName(name))
        {
            errors.Invalid(path, name, "is no port name: at most 15 lower-case letters, digits and '-', at least one letter");
        }
    }

    /// <summary>A port's number, or the name of one.</summary>
    public static void CheckPortReference(ErrorList errors, FieldPath path, Api.IntOrString? port)
    {
        var value = port ?? default;
        if (value.IsInt)
        {
            CheckPort(errors, path, value.IntValue);
        }
        else
        {
            CheckPortName(errors, path, value.StringValue);
        }
    }

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    private static partial Regex DnsLabel();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")]
    private static partial Regex DnsSubdomain();

    [GeneratedRegex("^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")]
    private static partial Regex QualifiedPart();

    [GeneratedRegex("^[-._a-zA-Z0-9]+$")]
    private static partial Regex ConfigKey();

    [GeneratedRegex("^[-a-z0-9]+$")]
    private static partial Regex PortCharacters();
}
