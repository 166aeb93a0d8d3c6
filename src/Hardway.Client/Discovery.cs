using Hardway.Api;

namespace Hardway.Client;

/// <summary>A resource that the server has, with what can be done to it.</summary>
public sealed record DiscoveredResource(ApiResource Resource, IReadOnlyList<string> Verbs)
{
    public bool Can(params ReadOnlySpan<string> verbs)
    {
        foreach (var verb in verbs)
        {
            if (!Verbs.Contains(verb)) return false;
        }
        return true;
    }
}

/// <summary>What a discovery found, and the group versions that could not be asked (an aggregated API that is down).</summary>
public sealed record DiscoveryResult(IReadOnlyList<DiscoveredResource> Resources, IReadOnlyList<string> Failed);

/// <summary>Asks a server which resources it has: by aggregated discovery, or group by group where that is missing.</summary>
public static class Discovery
{
    private const string Aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

    /// <summary>Each resource once, in its group's preferred version.</summary>
    public static Task<DiscoveryResult> PreferredAsync(KubeClient client, CancellationToken ct) => ReadAsync(client, all: false, ct);

    /// <summary>Each resource in every version.</summary>
    public static Task<DiscoveryResult> AllAsync(KubeClient client, CancellationToken ct) => ReadAsync(client, all: true, ct);

    private static async Task<DiscoveryResult> ReadAsync(KubeClient client, bool all, CancellationToken ct)
    {
        List<DiscoveredResource> found = [];
        List<string> failed = [];
        await ReadAsync(client, "/api", all, found, failed, ct);
        await ReadAsync(client, "/apis", all, found, failed, ct);
        return new DiscoveryResult(found, failed);
    }

    private static async Task ReadAsync(KubeClient client, string root, bool all, List<DiscoveredResource> found, List<string> failed, CancellationToken ct)
    {
        var tree = await client.GetTreeAsync(root, ct, Aggregated);
        switch (Text(tree, "kind"))
        {
            case "APIGroupDiscoveryList":
                foreach (var group in Items(tree, "items")) ReadAggregated(group, all, found, failed);
                break;
            case "APIVersions":
                foreach (var version in Items(tree, "versions").OfType<string>().Take(1)) await ReadVersionAsync(client, $"{root}/{version}", "", version, found, failed, ct);
                break;
            default:
                foreach (var group in Items(tree, "groups"))
                {
                    var name = Text(group, "name");
                    var versions = all ? Items(group, "versions").Select(v => Text(v, "version")) : [Text(Get(group, "preferredVersion"), "version")];
                    foreach (var version in versions.Where(v => v.Length > 0)) await ReadVersionAsync(client, $"{root}/{name}/{version}", name, version, found, failed, ct);
                }
                break;
        }
    }

    private static void ReadAggregated(object? group, bool all, List<DiscoveredResource> found, List<string> failed)
    {
        var name = Text(Get(group, "metadata"), "name");
        // The first version that has a resource is the preferred one for it.
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (var version in Items(group, "versions"))
        {
            var number = Text(version, "version");
            if (Text(version, "freshness") == "Stale") failed.Add($"{name}/{number}");
            foreach (var resource in Items(version, "resources"))
            {
                var plural = Text(resource, "resource");
                if (!all && !seen.Add(plural)) continue;
                var kind = Text(Get(resource, "responseKind"), "kind");
                found.Add(new DiscoveredResource(new ApiResource(name, number, plural, kind, Text(resource, "scope") == "Namespaced"), [.. Items(resource, "verbs").OfType<string>()]));
            }
        }
    }

    private static async Task ReadVersionAsync(KubeClient client, string path, string group, string version, List<DiscoveredResource> found, List<string> failed, CancellationToken ct)
    {
        object? list;
        try
        {
            list = await client.GetTreeAsync(path, ct);
        }
        catch (ApiException)
        {
            failed.Add(group.Length == 0 ? version : $"{group}/{version}");
            return;
        }
        foreach (var resource in Items(list, "resources"))
        {
            var plural = Text(resource, "name");
            if (plural.Contains('/', StringComparison.Ordinal)) continue;
            found.Add(new DiscoveredResource(new ApiResource(group, version, plural, Text(resource, "kind"), Get(resource, "namespaced") is true), [.. Items(resource, "verbs").OfType<string>()]));
        }
    }

    private static object? Get(object? tree, string name) => tree is Dictionary<string, object?> map ? map.GetValueOrDefault(name) : null;

    private static string Text(object? tree, string name) => Get(tree, name) as string ?? "";

    private static List<object?> Items(object? tree, string name) => Get(tree, name) as List<object?> ?? [];
}
