using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Serving;

/// <summary>/metrics: what is counted as it happens, and what is looked up when somebody reads it.</summary>
internal sealed class MetricsEndpoint(ApiServices services)
{
    private readonly Hosting.Gauge _objects = services.Metrics.Gauge("apiserver_storage_objects", "Objects in the store by resource, as the cache has them.", "resource");

    public Task HandleAsync(RequestContext context)
    {
        services.Flow?.Publish(services.Metrics);
        foreach (var registry in services.Scheme.BuiltIn.Select(r => r.Registry).Distinct())
        {
            var name = registry.Group.Length == 0 ? registry.Resource : registry.Resource + "." + registry.Group;
            _objects.Set(services.Objects.Cache.Snapshot(registry.Collection("")).PartitionCount, name);
        }

        return services.Metrics.HandleAsync(context.Http);
    }
}
