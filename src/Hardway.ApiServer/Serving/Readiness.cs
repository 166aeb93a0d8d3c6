using Hardway.Hosting;
using Hardway.Storage;
using Hardway.Storage.Cache;

namespace Hardway.ApiServer.Serving;

/// <summary>What must be well for this server to be alive, and to be sent requests.</summary>
internal sealed class Readiness
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);
    private readonly IStore _store;
    private readonly WatchCache _cache;
    private volatile bool _isReady;

    public Readiness(HealthChecks health, WatchCache cache, IStore store)
    {
        _cache = cache;
        _store = store;
        health.Add("log", () => null);
        health.Add("etcd", EtcdAsync);
        health.Add("etcd-readiness", EtcdAsync, HealthEndpoints.Readyz);
        health.Add("informer-sync", () => _cache.IsLoaded ? null : "the watch cache is being loaded", HealthEndpoints.Readyz);
        health.Add("poststarthook/bootstrap-objects", () => _isReady ? null : "not finished", HealthEndpoints.Readyz);
        health.Add("shutdown", () => _isReady ? null : "the server is starting or stopping", HealthEndpoints.Readyz);
    }

    public bool IsReady
    {
        get => _isReady;
        set => _isReady = value;
    }

    private async ValueTask<string?> EtcdAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_patience);
        try
        {
            await _store.CurrentRevisionAsync(limit.Token).ConfigureAwait(false);
            return null;
        }
        catch (StoreException e)
        {
            return e.Message;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"no answer within {s_patience.TotalSeconds} s";
        }
    }
}
