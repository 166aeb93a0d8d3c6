using System.Collections.Concurrent;
using Hardway.Api.ApiRegistration.V1;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Aggregation;

/// <summary>What the APIServices say: which group versions there are and which of them another server serves. Safe for all threads.</summary>
internal sealed class AggregatedApis(IResourceReader reader)
{
    private readonly ConcurrentDictionary<string, RemoteDiscovery> _discovered = new(StringComparer.Ordinal);
    private volatile Known _known = new(-1, [], []);

    /// <summary>All of them.</summary>
    public IReadOnlyList<APIService> All => Now().All;

    /// <summary>The APIService of a group version that another server serves; null for all others.</summary>
    public APIService? Remote(string group, string version) => Now().Remote.GetValueOrDefault((group, version));

    public IEnumerable<APIService> Remotes => Now().Remote.Values;

    /// <summary>Whether it answers, as its condition has it.</summary>
    public static bool IsAvailable(APIService service) => service.Status.Conditions?.Exists(c => c is { Type: "Available", Status: "True" }) == true;

    /// <summary>What the other server said of itself when it was last asked.</summary>
    public RemoteDiscovery? DiscoveryOf(APIService service) => _discovered.GetValueOrDefault(service.Metadata.Name);

    public void Discovered(APIService service, RemoteDiscovery? found)
    {
        if (found is null)
        {
            _discovered.TryRemove(service.Metadata.Name, out _);
        }
        else
        {
            _discovered[service.Metadata.Name] = found;
        }
    }

    /// <summary>Drops what belongs to no APIService any more.</summary>
    public void Forget(IReadOnlySet<string> kept)
    {
        foreach (var name in _discovered.Keys.Where(n => !kept.Contains(n)).ToList())
        {
            _discovered.TryRemove(name, out _);
        }
    }

    private Known Now()
    {
        var generation = reader.Generation<APIService>();
        var known = _known;
        if (known.Generation == generation)
        {
            return known;
        }

        var all = reader.List<APIService>();
        return _known = new Known(generation, all, all.Where(s => s.Spec.Service is not null).ToDictionary(s => (s.Spec.Group, s.Spec.Version)));
    }

    private sealed record Known(long Generation, IReadOnlyList<APIService> All, Dictionary<(string Group, string Version), APIService> Remote);
}

/// <summary>The resources of another server's group version, as its discovery lists them, and where its OpenAPI document is.</summary>
/// <param name="Resources">APIResource trees.</param>
/// <param name="OpenApi">The path with its hash that its /openapi/v3 names; empty where it has none.</param>
internal sealed record RemoteDiscovery(IReadOnlyList<Dictionary<string, object?>> Resources, string OpenApi);
