using Hardway.Api;
using Hardway.Storage.Cache;

namespace Hardway.ApiServer.Registry;

/// <summary><see cref="IResourceReader"/> over the watch cache.</summary>
internal sealed class ResourceReader(ResourceScheme scheme, ObjectStore objects) : IResourceReader
{
    public T? Get<T>(string @namespace, string name)
        where T : KubeObject, IApiType<T>, new()
    {
        var registry = scheme.Of(T.TypeSchema);
        return objects.Cached(registry, @namespace, name) is { Error: null } cached ? (T)ObjectStore.Decode(registry, cached) : null;
    }

    public IReadOnlyList<T> List<T>(string @namespace = "")
        where T : KubeObject, IApiType<T>, new()
    {
        var registry = scheme.Of(T.TypeSchema);
        var prefix = registry.Collection(@namespace);
        var all = new List<T>();
        foreach (var cached in objects.Cache.Snapshot(prefix).Range(prefix))
        {
            if (cached.Error is null)
            {
                all.Add((T)ObjectStore.Decode(registry, cached));
            }
        }

        return all;
    }

    public async ValueTask<T?> GetFreshAsync<T>(string @namespace, string name, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new()
    {
        var registry = scheme.Of(T.TypeSchema);
        return await objects.FreshAsync(registry, @namespace, name, cancellationToken).ConfigureAwait(false) is { } cached ? (T)ObjectStore.Decode(registry, cached) : null;
    }

    public ServedObjects? OfKind(string apiVersion, string kind, string @namespace)
    {
        if (scheme.All.FirstOrDefault(r => r.Info.Kind == kind && r.Info.ApiVersion == apiVersion) is not { } resource)
        {
            return null;
        }

        var prefix = resource.Registry.Collection(@namespace);
        return new ServedObjects(resource.Info.Namespaced, objects.Cache.Snapshot(prefix).Range(prefix).Where(c => c.Error is null)
            .Select(c => VersionConversion.Convert(ObjectStore.Decode(resource.Registry, c), resource.Registry.Storage, resource.Info)));
    }

    public long Generation<T>()
        where T : KubeObject, IApiType<T>, new()
    {
        var prefix = scheme.Of(T.TypeSchema).Collection("");
        return objects.Cache.Snapshot(prefix).LastChange;
    }
}
