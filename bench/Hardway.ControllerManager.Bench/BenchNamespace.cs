using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager.Bench;

/// <summary>A namespace for a run, removed after it.</summary>
internal sealed class BenchNamespace : IAsyncDisposable
{
    private readonly KubeClient _client;

    private BenchNamespace(KubeClient client, string name) => (_client, Name) = (client, name);

    public string Name { get; }

    public static async Task<BenchNamespace> CreateAsync(KubeClient client, CancellationToken ct)
    {
        var made = await client.CreateAsync(new Namespace { Metadata = new ObjectMeta { GenerateName = "bench-" } }, ct);
        var name = made.Metadata.Name;
        // Pods need the service account that a controller makes.
        await foreach (var _ in client.WatchAsync<ServiceAccount>(name, new ListOptions { FieldSelector = "metadata.name=default" }, ct)) break;
        return new BenchNamespace(client, name);
    }

    public async ValueTask DisposeAsync()
    {
        // Pods have no kubelet here: they go without grace, and then the rest.
        await _client.DeleteCollectionAsync(ApiResource.Of<Api.Apps.V1.Deployment>(), Name, null, null, CancellationToken.None);
        await _client.DeleteCollectionAsync(ApiResource.Of<Pod>(), Name, null, new DeleteOptions { GracePeriodSeconds = 0 }, CancellationToken.None);
        await _client.DeleteAsync<Namespace>(null, Name, null, CancellationToken.None);
    }
}
