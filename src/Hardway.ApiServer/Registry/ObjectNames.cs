using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Registry;

/// <summary>The rules of names, and names made from generateName.</summary>
internal static partial class ObjectNames
{
    private const int SuffixLength = 5;
    private const int MaxGenerated = 63 - SuffixLength;
    private const string SuffixLetters = "bcdfghjklmnpqrstvwxz2456789";

    public static string Generate(string @base)
    {
        var kept = @base.Length > MaxGenerated ? @base[..MaxGenerated] : @base;
        return kept + RandomNumberGenerator.GetString(SuffixLetters, SuffixLength);
    }

    /// <summary>What is wrong with a name (or with a generateName, which may end with a dash), or null.</summary>
    public static string? Check(NameRule rule, string name, bool prefix = false)
    {
        if (prefix && name.Length > 1 && name[^1] == '-' && rule is not (NameRule.PathSegment or NameRule.IpAddress))
        {
            name = name[..^1] + "a";
        }

        return rule switch
        {
            NameRule.DnsLabel => DnsLabel(name),
            NameRule.Dns1035Label => Dns1035(name),
            NameRule.PathSegment => PathSegment(name, prefix),
            NameRule.IpAddress => IPAddress.TryParse(name, out var ip) && ip.ToString() == name ? null : "must be a valid IP address in canonical form",
            _ => DnsSubdomain(name),
        };
    }

    public static string? DnsSubdomain(string name) =>
        name.Length > 253 ? "must be no more than 253 characters"
        : SubdomainPattern().IsMatch(name) ? null
        : "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

    public static string? DnsLabel(string name) =>
        name.Length > 63 ? "must be no more than 63 characters"
        : LabelPattern().IsMatch(name) ? null
        : "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";

    public static string? Dns1035(string name) =>
        name.Length > 63 ? "must be no more than 63 characters"
        : Label1035Pattern().IsMatch(name) ? null
        : "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";

    public static string? PathSegment(string name, bool prefix) =>
        !prefix && name is "." or ".." ? $"may not be '{name}'"
        : name.Contains('/') ? "may not contain '/'"
        : name.Contains('%') ? "may not contain '%'"
        : null;

    /// <summary>A label's or annotation's key: an optional DNS subdomain and a slash, then at most 63 characters.</summary>
    public static string? QualifiedName(string key)
    {
        var slash = key.IndexOf('/');
        var name = slash < 0 ? key : key[(slash + 1)..];
        if (slash >= 0 && (slash == 0 || DnsSubdomain(key[..slash]) is not null))
        {
            return "the part before the slash must be a DNS subdomain";
        }

        return name.Length is 0 or > 63 || !NamePattern().IsMatch(name)
            ? "the name part must be 1 to 63 alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
            : null;
    }

    public static string? LabelValue(string value) =>
        value.Length > 63 ? "must be no more than 63 characters"
        : value.Length == 0 || NamePattern().IsMatch(value) ? null
        : "must be empty or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

    public static void CheckLabels(IReadOnlyDictionary<string, string>? labels, FieldPath path, ErrorList errors)
    {
        foreach (var (key, value) in labels ?? new Dictionary<string, string>())
        {
            if (QualifiedName(key) is { } wrong)
            {
                errors.Invalid(path, key, wrong);
            }

            if (LabelValue(value) is { } bad)
            {
                errors.Invalid(path, value, bad);
            }
        }
    }

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z")]
    private static partial Regex SubdomainPattern();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex LabelPattern();

    [GeneratedRegex(@"^[a-z]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex Label1035Pattern();

    [GeneratedRegex(@"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\z")]
    private static partial Regex NamePattern();
}
