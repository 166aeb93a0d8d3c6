using System.Security.Cryptography;
using Hardway.Api;
using Hardway.ApiServer.Aggregation;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Handlers;

/// <summary>What is served: /api, /apis, a group, a group version; /api and /apis also aggregated (all resources in one answer).</summary>
internal sealed class DiscoveryHandler(ApiServices services, AggregatedApis apis)
{

    /// <summary>False when the path is none of discovery's.</summary>
    public async Task<bool> TryHandleAsync(RequestContext context)
    {
        var parts = context.Info.Path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is 0 or > 3 || parts[0] is not ("api" or "apis") || (parts[0] == "api" && parts.Length > 2))
        {
            return false;
        }

        if (context.Request.Method is not ("GET" or "POST"))
        {
            throw Statuses.MethodNotAllowed();
        }

        if (parts.Length == 1 && IsAggregated(context))
        {
            await WriteAggregatedAsync(context, parts[0] == "api").ConfigureAwait(false);
            return true;
        }

        var tree = (parts[0], parts.Length) switch
        {
            ("api", 1) => Versions(context),
            ("api", _) => Resources("", parts[1]),
            ("apis", 1) => Groups(),
            ("apis", 2) => Group(parts[1]),
            _ => Resources(parts[1], parts[2]),
        };
        if (tree is null)
        {
            throw parts[0] == "api" || services.Scheme.IsBuiltIn(parts[1]) ? Statuses.NoSuchResource() : Statuses.PageNotFound();
        }

        var media = Negotiation.Of(context.Request, Offer.Yaml | Offer.Protobuf).Media;
        await (media == MediaType.Protobuf
            ? ResponseWriter.WriteAsync(context, 200, ApiJson.FromTree(ApiCatalog.FindKindSchema("", "v1", (string)tree["kind"]!)!, tree), media)
            : ResponseWriter.WriteJsonAsync(context, 200, ApiJson.SerializeTree(tree), media)).ConfigureAwait(false);
        return true;
    }

    private static bool IsAggregated(RequestContext context)
    {
        var accept = context.Request.Headers.Accept.ToString();
        return accept.Contains("as=APIGroupDiscoveryList", StringComparison.Ordinal) && accept.Contains("g=apidiscovery.k8s.io", StringComparison.Ordinal);
    }

    private async Task WriteAggregatedAsync(RequestContext context, bool core)
    {
        var accept = context.Request.Headers.Accept.ToString();
        var version = accept.Contains("v=v2;", StringComparison.Ordinal) || accept.Contains("v=v2,", StringComparison.Ordinal) || accept.EndsWith("v=v2", StringComparison.Ordinal) ? "v2" : "v2beta1";
        var items = new List<object?>();
        foreach (var group in ByGroup().Where(g => g.Name.Length == 0 == core))
        {
            items.Add(Map(("metadata", group.Name.Length == 0 ? Map() : Map(("name", group.Name))),
                ("versions", group.Versions.ConvertAll(v => (object?)VersionTree(v)))));
        }

        var tree = Map(("kind", "APIGroupDiscoveryList"), ("apiVersion", "apidiscovery.k8s.io/" + version), ("metadata", Map()), ("items", items));
        var json = ApiJson.SerializeTree(tree);
        var tag = "\"" + Convert.ToHexString(SHA512.HashData(json)) + "\"";
        context.Response.Headers.ETag = tag;
        context.Response.Headers.Vary = "Accept";
        context.Response.Headers.CacheControl = "public";
        if (context.Request.Headers.IfNoneMatch.ToString() == tag)
        {
            context.Response.StatusCode = 304;
            return;
        }

        await ResponseWriter.WriteJsonAsync(context, 200, json, MediaType.Json, $"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList").ConfigureAwait(false);
    }

    /// <summary>Of another server's version what it said when it was last asked; nothing while it does not answer.</summary>
    private static Dictionary<string, object?> VersionTree(DiscoveredVersion version)
    {
        if (!version.IsRemote)
        {
            return Map(("version", version.Name), ("resources", version.Resources.ConvertAll(r => (object?)Aggregated(r))), ("freshness", "Current"));
        }

        return version.Remote is { } remote
            ? Map(("version", version.Name), ("resources", RemoteResources.Aggregated(remote.Resources, version.Group, version.Name)), ("freshness", "Current"))
            : Map(("version", version.Name), ("freshness", "Stale"));
    }

    private static Dictionary<string, object?> Aggregated(ResourceInfo resource)
    {
        var map = Map(
            ("resource", resource.Plural),
            ("responseKind", Map(("group", resource.Group), ("version", resource.Version), ("kind", resource.Kind))),
            ("scope", resource.Namespaced ? "Namespaced" : "Cluster"),
            ("singularResource", resource.Singular),
            ("verbs", Strings(resource.Verbs)));
        Add(map, "shortNames", resource.ShortNames);
        Add(map, "categories", resource.Categories);
        if (resource.Subresources.Length > 0)
        {
            map["subresources"] = resource.Subresources.OrderBy(s => s.Name, StringComparer.Ordinal)
                .Select(s => (object?)Map(("subresource", s.Name), ("responseKind", Map(("group", s.Group), ("version", s.Version), ("kind", s.Kind))), ("verbs", Strings(s.Verbs)))).ToList();
        }

        return map;
    }

    private Dictionary<string, object?> Versions(RequestContext context)
    {
        var address = services.Options.AdvertiseAddress is { } advertised ? $"{advertised}:{services.Options.SecurePort}" : context.Request.Host.Value ?? "";
        return Map(("kind", "APIVersions"), ("versions", new List<object?> { "v1" }),
            ("serverAddressByClientCIDRs", new List<object?> { Map(("clientCIDR", "0.0.0.0/0"), ("serverAddress", address)) }));
    }

    private Dictionary<string, object?> Groups() =>
        Map(("kind", "APIGroupList"), ("apiVersion", "v1"), ("groups", ByGroup().Where(g => g.Name.Length > 0).Select(g => (object?)GroupTree(g)).ToList()));

    private Dictionary<string, object?>? Group(string name)
    {
        if (ByGroup().Find(g => g.Name == name) is not { } group || name.Length == 0)
        {
            return null;
        }

        var map = Map(("kind", "APIGroup"), ("apiVersion", "v1"));
        foreach (var (key, value) in GroupTree(group))
        {
            map[key] = value;
        }

        return map;
    }

    private static Dictionary<string, object?> GroupTree(DiscoveredGroup group)
    {
        var versions = group.Versions.ConvertAll(v => (object?)Map(("groupVersion", group.Name + "/" + v.Name), ("version", v.Name)));
        return Map(("name", group.Name), ("versions", versions), ("preferredVersion", versions[0]));
    }

    private Dictionary<string, object?>? Resources(string group, string version)
    {
        if (ByGroup().Find(g => g.Name == group)?.Versions.Find(v => v.Name == version) is not { Resources.Count: > 0 } found)
        {
            return null;
        }

        var resources = new List<object?>();
        foreach (var resource in found.Resources)
        {
            var map = Map(("name", resource.Plural), ("singularName", resource.Singular), ("namespaced", resource.Namespaced), ("kind", resource.Kind), ("verbs", Strings(resource.Verbs)));
            Add(map, "shortNames", resource.ShortNames);
            Add(map, "categories", resource.Categories);
            if (resource.StorageVersionHash.Length > 0)
            {
                map["storageVersionHash"] = resource.StorageVersionHash;
            }

            resources.Add(map);
            resources.AddRange(resource.Subresources.Select(s => Subresource(resource, s)));
        }

        return Map(("kind", "APIResourceList"), ("apiVersion", "v1"), ("groupVersion", group.Length == 0 ? version : group + "/" + version), ("resources", resources));
    }

    private static Dictionary<string, object?> Subresource(ResourceInfo resource, SubresourceInfo subresource)
    {
        var map = Map(("name", resource.Plural + "/" + subresource.Name), ("singularName", ""), ("namespaced", resource.Namespaced));
        if (subresource.Group != resource.Group || subresource.Version != resource.Version)
        {
            map["group"] = subresource.Group;
            map["version"] = subresource.Version;
        }

        map["kind"] = subresource.Kind;
        map["verbs"] = Strings(subresource.Verbs);
        return map;
    }

    /// <summary>Built-in groups in their order, then custom ones and those of other servers by their priority and name.</summary>
    private List<DiscoveredGroup> ByGroup()
    {
        var groups = new List<DiscoveredGroup>();
        foreach (var resource in services.Scheme.BuiltIn.Select(s => s.Info).OrderBy(r => r.DiscoveryOrder))
        {
            Add(groups, resource.Group, resource.Version, int.MaxValue).Resources.Add(resource);
        }

        foreach (var resource in services.Scheme.Custom.Served.Select(s => s.Info))
        {
            Add(groups, resource.Group, resource.Version, GroupPriorities.Custom).Resources.Add(resource);
        }

        // Those that this server makes for itself say nothing that is not known already, and go a moment late.
        foreach (var service in apis.All.Where(s => !APIServiceController.IsManaged(s)))
        {
            var version = Add(groups, service.Spec.Group, service.Spec.Version, service.Spec.GroupPriorityMinimum);
            version.Priority = service.Spec.VersionPriority;
            version.IsRemote = service.Spec.Service is not null;
            version.Remote = version.IsRemote && AggregatedApis.IsAvailable(service) ? apis.DiscoveryOf(service) : null;
        }

        foreach (var group in groups)
        {
            group.Versions.Sort((a, b) => a.Priority != b.Priority ? b.Priority.CompareTo(a.Priority) : VersionOrder.Compare(a.Name, b.Name));
        }

        return [.. groups.OrderByDescending(g => g.Priority).ThenBy(g => g.Priority == int.MaxValue ? "" : g.Name, StringComparer.Ordinal)];
    }

    private static DiscoveredVersion Add(List<DiscoveredGroup> groups, string name, string version, int priority)
    {
        if (groups.Find(g => g.Name == name) is not { } group)
        {
            groups.Add(group = new DiscoveredGroup(name, []));
        }

        group.Priority = Math.Max(group.Priority, priority);
        if (group.Versions.Find(v => v.Name == version) is not { } found)
        {
            group.Versions.Add(found = new DiscoveredVersion(name, version, []));
        }

        return found;
    }

    private static Dictionary<string, object?> Map(params ReadOnlySpan<(string Key, object? Value)> fields)
    {
        var map = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (key, value) in fields)
        {
            map[key] = value;
        }

        return map;
    }

    private static void Add(Dictionary<string, object?> map, string key, string[] values)
    {
        if (values.Length > 0)
        {
            map[key] = Strings(values);
        }
    }

    private static List<object?> Strings(string[] values) => [.. values];

    private sealed record DiscoveredGroup(string Name, List<DiscoveredVersion> Versions)
    {
        public int Priority { get; set; }
    }

    private sealed record DiscoveredVersion(string Group, string Name, List<ResourceInfo> Resources)
    {
        /// <summary>As its APIService has it; before that is made, all are equal.</summary>
        public int Priority { get; set; }

        public bool IsRemote { get; set; }

        public RemoteDiscovery? Remote { get; set; }
    }
}
