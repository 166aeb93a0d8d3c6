using Hardway.Api;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Finds the resource of a kind or of a plural name: built-in ones from the catalogue, all others by discovery, which is asked at most every 30 s (a kind that
/// does not exist must not cost a discovery at every look). Safe for all threads.
/// </summary>
internal sealed class ServedKinds(KubeClient client)
{
    private static readonly TimeSpan _fresh = TimeSpan.FromSeconds(30);
    private volatile Tuple<IReadOnlyList<DiscoveredResource>, long>? _known;

    public async Task<ApiResource?> FindAsync(string apiVersion, string kind, CancellationToken ct)
    {
        var slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
        var (group, version) = slash < 0 ? ("", apiVersion) : (apiVersion[..slash], apiVersion[(slash + 1)..]);
        if (ApiCatalog.FindKind(group, version, kind) is { } info) return ApiResource.From(info);
        return (await KnownAsync(ct)).FirstOrDefault(r => r.Resource.Group == group && r.Resource.Version == version && r.Resource.Kind == kind)?.Resource;
    }

    public async Task<ApiResource?> FindPluralAsync(string group, string plural, CancellationToken ct)
    {
        if (ApiCatalog.Resources.FirstOrDefault(r => r.Group == group && r.Plural == plural && r.OnByDefault) is { } info) return ApiResource.From(info);
        return (await KnownAsync(ct)).FirstOrDefault(r => r.Resource.Group == group && r.Resource.Plural == plural)?.Resource;
    }

    private async Task<IReadOnlyList<DiscoveredResource>> KnownAsync(CancellationToken ct)
    {
        if (_known is var (resources, at) && client.Time.GetElapsedTime(at) < _fresh) return resources;
        var found = (await Discovery.AllAsync(client, ct)).Resources;
        _known = Tuple.Create(found, client.Time.GetTimestamp());
        return found;
    }
}
