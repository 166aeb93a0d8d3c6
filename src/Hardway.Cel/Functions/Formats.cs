using System.Globalization;
using System.Text.RegularExpressions;

namespace Hardway.Cel.Functions;

/// <summary>A named form of text; validate gives what is wrong, or nothing.</summary>
internal sealed record FormatValue(string Name, Func<string, string?> Check) : ICelObject
{
    public string TypeName => "kubernetes.NamedFormat";

    public bool TryGetField(string name, out object? value)
    {
        value = null;
        return false;
    }

    public bool TryCall(string name, object?[] arguments, CelBudget budget, out object? result)
    {
        result = null;
        if (name != "validate" || arguments is not [string text])
        {
            return false;
        }

        budget.TakeText(text.Length);
        result = Check(text) is { } wrong ? CelOptional.Of(new List<object?> { wrong }) : CelOptional.None;
        return true;
    }
}

/// <summary>format.dns1123Label() and its like.</summary>
internal static partial class Formats
{
    public static void AddTo(FunctionTable table)
    {
        var all = new Dictionary<string, FormatValue>(StringComparer.Ordinal);
        foreach (var format in Known())
        {
            all[format.Name] = format;
            table.AddGlobal("format." + format.Name, 0, (_, _) => format);
        }

        table.AddGlobal("format.named", 1, (a, _) => a[0] is string name ? all.TryGetValue(name, out var format) ? CelOptional.Of(format) : CelOptional.None : throw CelException.NoOverload("format.named"));
    }

    private static IEnumerable<FormatValue> Known()
    {
        yield return new("dns1123Label", s => s.Length <= 63 && Label().IsMatch(s) ? null : "a lowercase RFC 1123 label must consist of lower case letters, digits and '-'");
        yield return new("dns1123Subdomain", s => s.Length <= 253 && Subdomain().IsMatch(s) ? null : "a lowercase RFC 1123 subdomain must consist of lower case letters, digits, '-' and '.'");
        yield return new("dns1035Label", s => s.Length <= 63 && Label1035().IsMatch(s) ? null : "a DNS-1035 label must begin with a letter and consist of lower case letters, digits and '-'");
        yield return new("qualifiedName", s => IsQualified(s) ? null : "a qualified name must be a name with an optional DNS prefix");
        yield return new("labelValue", s => s.Length <= 63 && (s.Length == 0 || Part().IsMatch(s)) ? null : "a label value must consist of letters, digits, '-', '_' and '.'");
        yield return new("dns1123LabelPrefix", s => s.Length <= 63 && Label().IsMatch(s.TrimEnd('-')) ? null : "this cannot begin an RFC 1123 label");
        yield return new("dns1123SubdomainPrefix", s => s.Length <= 253 && Subdomain().IsMatch(s.TrimEnd('-')) ? null : "this cannot begin an RFC 1123 subdomain");
        yield return new("dns1035LabelPrefix", s => s.Length <= 63 && Label1035().IsMatch(s.TrimEnd('-')) ? null : "this cannot begin a DNS-1035 label");
        yield return new("uri", s => UrlValue.TryParse(s) is not null ? null : "this is no URI");
        yield return new("uuid", s => Uuid().IsMatch(s) ? null : "does not match the UUID regular expression");
        yield return new("byte", s => Convert.TryFromBase64String(s, new byte[s.Length], out _) ? null : "invalid base64");
        yield return new("date", s => DateTime.TryParseExact(s, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? null : "invalid date");
        yield return new("datetime", s => s.Length >= 20 && s[10] is 'T' or 't' && DateTimeOffset.TryParse(s, CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? null : "invalid datetime");
    }

    private static bool IsQualified(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return (slash < 0 || (slash <= 253 && Subdomain().IsMatch(text[..slash]))) && text[(slash + 1)..] is { Length: > 0 and <= 63 } name && Part().IsMatch(name);
    }

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Label();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Subdomain();

    [GeneratedRegex(@"^[a-z]([-a-z0-9]*[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Label1035();

    [GeneratedRegex(@"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Part();

    [GeneratedRegex(@"^(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Uuid();
}
