namespace Hardway.ApiServer.Handlers;

/// <summary>Another server's list of resources in the form of aggregated discovery: subresources within their resource.</summary>
internal static class RemoteResources
{
    public static List<object?> Aggregated(IReadOnlyList<Dictionary<string, object?>> resources, string group, string version)
    {
        var all = new List<object?>();
        foreach (var resource in resources.Where(r => !NameOf(r).Contains('/', StringComparison.Ordinal)))
        {
            var entry = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["resource"] = NameOf(resource),
                ["responseKind"] = KindOf(resource, group, version),
                ["scope"] = resource.GetValueOrDefault("namespaced") is true ? "Namespaced" : "Cluster",
                ["singularResource"] = resource.GetValueOrDefault("singularName"),
                ["verbs"] = resource.GetValueOrDefault("verbs"),
            };
            foreach (var key in new[] { "shortNames", "categories" })
            {
                if (resource.GetValueOrDefault(key) is List<object?> { Count: > 0 } names)
                {
                    entry[key] = names;
                }
            }

            var parts = resources.Where(r => NameOf(r).StartsWith(NameOf(resource) + "/", StringComparison.Ordinal)).Select(r => (object?)new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["subresource"] = NameOf(r)[(NameOf(resource).Length + 1)..],
                ["responseKind"] = KindOf(r, group, version),
                ["verbs"] = r.GetValueOrDefault("verbs"),
            }).ToList();
            if (parts.Count > 0)
            {
                entry["subresources"] = parts;
            }

            all.Add(entry);
        }

        return all;
    }

    private static string NameOf(Dictionary<string, object?> resource) => resource.GetValueOrDefault("name") as string ?? "";

    private static Dictionary<string, object?> KindOf(Dictionary<string, object?> resource, string group, string version) => new(StringComparer.Ordinal)
    {
        ["group"] = resource.GetValueOrDefault("group") as string is { Length: > 0 } own ? own : group,
        ["version"] = resource.GetValueOrDefault("version") as string is { Length: > 0 } its ? its : version,
        ["kind"] = resource.GetValueOrDefault("kind"),
    };
}
