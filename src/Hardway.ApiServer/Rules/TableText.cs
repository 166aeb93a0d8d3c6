using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;

namespace Hardway.ApiServer.Rules;

/// <summary>Texts that several kinds' tables share.</summary>
internal static class TableText
{
    public const string None = "<none>";

    public static string Containers(PodSpec spec) => string.Join(",", (spec.Containers ?? []).Select(c => c.Name));

    public static string Images(PodSpec spec) => string.Join(",", (spec.Containers ?? []).Select(c => c.Image));

    /// <summary>A selector as queries write it; none where it selects nothing.</summary>
    public static string Of(LabelSelector? selector)
    {
        try
        {
            var text = Selector.From(selector).ToString();
            return text.Length == 0 ? None : text;
        }
        catch (FormatException)
        {
            return "<error>";
        }
    }

    public static string Of(Dictionary<string, string>? labels) =>
        labels is null || labels.Count == 0 ? None : string.Join(",", labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => l.Key + "=" + l.Value));

    /// <summary>Where a load balancer is reached: each address once, in order of its text.</summary>
    public static IEnumerable<string> Addresses(IEnumerable<(string Ip, string Hostname)> points) =>
        points.Select(p => p.Ip.Length > 0 ? p.Ip : p.Hostname).Where(a => a.Length > 0).Distinct().Order(StringComparer.Ordinal);

    public static string Or(string? value, string fallback) => string.IsNullOrEmpty(value) ? fallback : value;

    /// <summary>At most three, then how many more.</summary>
    public static string FirstThree(IReadOnlyList<string> all) =>
        all.Count == 0 ? None : all.Count <= 3 ? string.Join(",", all) : string.Join(",", all.Take(3)) + $" + {all.Count - 3} more...";

    public static string AccessModes(List<string>? modes) => string.Join(",", new[] { ("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP") }
        .Where(m => modes?.Contains(m.Item1) == true).Select(m => m.Item2));
}
