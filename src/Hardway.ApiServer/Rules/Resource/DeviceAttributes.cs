using System.Text.RegularExpressions;
using Hardway.Api.Resource.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Resource;

/// <summary>What a device tells of itself: names in an optional domain, each with a value of one type.</summary>
internal static partial class DeviceAttributes
{
    private const int LongestName = 32;
    private const int LongestDomain = 63;
    private const int LongestValue = 64;

    /// <summary>DOMAIN/NAME.</summary>
    public static void CheckFullName(string name, FieldPath path, ErrorList errors)
    {
        if (name.Length == 0)
        {
            errors.Required(path);
        }
        else if (!name.Contains('/', StringComparison.Ordinal))
        {
            errors.Invalid(path, name, "is no full name such as example.com/size");
        }
        else
        {
            CheckName(name, path, errors);
        }
    }

    /// <summary>NAME or DOMAIN/NAME.</summary>
    public static void CheckName(string name, FieldPath path, ErrorList errors)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var (domain, rest) = slash < 0 ? ("", name) : (name[..slash], name[(slash + 1)..]);
        if (slash >= 0 && domain.Length == 0)
        {
            errors.Required(path, "the domain is missing");
        }

        if (domain.Length > LongestDomain)
        {
            errors.TooLong(path, LongestDomain, "characters of domain");
        }
        else if (domain.Length > 0)
        {
            Names.CheckDnsSubdomain(errors, path, domain);
        }

        if (rest.Length == 0)
        {
            errors.Required(path, "the name is missing");
        }
        else if (rest.Length > LongestName)
        {
            errors.TooLong(path, LongestName, "characters");
        }
        else if (!Identifier().IsMatch(rest))
        {
            errors.Invalid(path, rest, "is no identifier: letters, digits and '_', beginning with a letter or '_'");
        }
    }

    public static void Check(Dictionary<string, DeviceAttribute>? attributes, FieldPath path, ErrorList errors)
    {
        foreach (var (name, value) in attributes ?? [])
        {
            var at = path.Key(name);
            CheckName(name, at, errors);
            if (CountValues(value) != 1)
            {
                errors.Invalid(at, null, "needs a value of exactly one type");
            }
            else if (value.String?.Length > LongestValue)
            {
                errors.TooLong(at.Child("string"), LongestValue, "characters");
            }
            else if (value.Version is { } version)
            {
                CheckVersion(version, at.Child("version"), errors);
            }
        }
    }

    private static int CountValues(DeviceAttribute value) =>
        (value.Int is null ? 0 : 1) + (value.Bool is null ? 0 : 1) + (value.String is null ? 0 : 1) + (value.Version is null ? 0 : 1)
        + (value.Ints is { Count: > 0 } ? 1 : 0) + (value.Bools is { Count: > 0 } ? 1 : 0) + (value.Strings is { Count: > 0 } ? 1 : 0) + (value.Versions is { Count: > 0 } ? 1 : 0);

    private static void CheckVersion(string version, FieldPath path, ErrorList errors)
    {
        if (version.Length > LongestValue)
        {
            errors.TooLong(path, LongestValue, "characters");
        }
        else if (!SemVer().IsMatch(version))
        {
            errors.Invalid(path, version, "is no semantic version such as 1.2.3");
        }
    }

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$")]
    private static partial Regex Identifier();

    [GeneratedRegex(@"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$")]
    private static partial Regex SemVer();
}
