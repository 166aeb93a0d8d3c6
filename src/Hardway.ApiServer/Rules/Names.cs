using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules;

/// <summary>The forms of names, keys and ports (see <see cref="NameForms"/>) as checks that report.</summary>
internal static class Names
{
    public static bool IsDnsLabel(string text) => NameForms.IsDnsLabel(text);

    public static bool IsDnsSubdomain(string text) => NameForms.IsDnsSubdomain(text);

    public static bool IsQualifiedName(string text) => NameForms.IsQualifiedName(text);

    public static bool IsPortName(string text) => NameForms.IsPortName(text);

    public static void CheckDnsLabel(ErrorList errors, FieldPath path, string text) => Report(errors, path, text, NameForms.IsDnsLabel(text) ? [] : NameForms.DnsLabel(text));

    public static void CheckDnsSubdomain(ErrorList errors, FieldPath path, string text) => Report(errors, path, text, NameForms.IsDnsSubdomain(text) ? [] : NameForms.DnsSubdomain(text));

    public static void CheckLabelKey(ErrorList errors, FieldPath path, string text) => Report(errors, path, text, NameForms.IsQualifiedName(text) ? [] : NameForms.QualifiedName(text));

    public static void CheckLabelValue(ErrorList errors, FieldPath path, string text) => Report(errors, path, text, NameForms.IsLabelValue(text) ? [] : NameForms.LabelValue(text));

    /// <summary>Keys and values are reported at the labels themselves, as upstream does.</summary>
    public static void CheckLabels(ErrorList errors, FieldPath path, Dictionary<string, string>? labels)
    {
        foreach (var (key, value) in labels ?? [])
        {
            CheckLabelKey(errors, path, key);
            CheckLabelValue(errors, path, value);
        }
    }

    public static void CheckConfigKey(ErrorList errors, FieldPath path, string key) => Report(errors, path, key, NameForms.ConfigKey(key));

    public static void CheckPort(ErrorList errors, FieldPath path, int port)
    {
        if (port is < 1 or > 65535)
        {
            errors.Invalid(path, port, "must be between 1 and 65535");
        }
    }

    public static void CheckPortName(ErrorList errors, FieldPath path, string name) => Report(errors, path, name, NameForms.PortName(name));

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

    private static void Report(ErrorList errors, FieldPath path, string text, IEnumerable<string> faults)
    {
        foreach (var fault in faults)
        {
            errors.Invalid(path, text, fault);
        }
    }
}
