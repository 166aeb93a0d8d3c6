using System.Net;
using System.Security.Cryptography;

namespace Hardway.ApiServer.Registry;

/// <summary>Which names objects take, and names made from generateName.</summary>
internal static class ObjectNames
{
    private const int SuffixLength = 5;
    private const int MaxGenerated = 63 - SuffixLength;
    private const string SuffixLetters = "bcdfghjklmnpqrstvwxz2456789";

    public static string Generate(string @base)
    {
        var kept = @base.Length > MaxGenerated ? @base[..MaxGenerated] : @base;
        return kept + RandomNumberGenerator.GetString(SuffixLetters, SuffixLength);
    }

    /// <summary>What is wrong with a name (or with a generateName, which may end with a dash).</summary>
    public static IEnumerable<string> Faults(NameRule rule, string name, bool prefix = false)
    {
        if (prefix && name.Length > 1 && name[^1] == '-' && rule is not (NameRule.PathSegment or NameRule.IpAddress))
        {
            name = name[..^1] + "a";
        }

        return rule switch
        {
            NameRule.DnsLabel => NameForms.DnsLabel(name),
            NameRule.Dns1035Label => NameForms.Dns1035Label(name),
            NameRule.PathSegment => PathSegment(name, prefix) is { } wrong ? [wrong] : [],
            NameRule.IpAddress => IPAddress.TryParse(name, out var ip) && ip.ToString() == name ? [] : ["must be an IP address in its canonical form"],
            _ => NameForms.DnsSubdomain(name),
        };
    }

    public static string? DnsSubdomain(string name) => NameForms.DnsSubdomain(name).FirstOrDefault();

    public static string? DnsLabel(string name) => NameForms.DnsLabel(name).FirstOrDefault();

    public static string? Dns1035(string name) => NameForms.Dns1035Label(name).FirstOrDefault();

    public static string? QualifiedName(string key) => NameForms.QualifiedName(key).FirstOrDefault();

    public static string? PathSegment(string name, bool prefix) =>
        !prefix && name is "." or ".." ? $"may not be '{name}'"
        : name.Contains('/') ? "may not contain '/'"
        : name.Contains('%') ? "may not contain '%'"
        : null;
}
