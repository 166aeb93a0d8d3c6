using Hardway.Api;
using Microsoft.Extensions.Logging;

namespace Hardway.Client;

/// <summary>
/// One informer a resource, shared by everybody in the program. Informers asked for before <see cref="RunAsync"/> start with it; those asked
/// for later start at once. Safe for all threads.
/// </summary>
public sealed class InformerFactory(KubeClient client, ILoggerFactory logs, InformerOptions? options = null)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(Type, ApiResource), IInformer> _informers = [];
    private readonly List<Task> _running = [];
    private CancellationToken? _stop;

    public KubeClient Client { get; } = client;

    public ILoggerFactory Logs { get; } = logs;

    public Informer<T> Get<T>() where T : KubeObject, IApiType<T>, new() => Get<T>(ApiResource.Of<T>());

    public Informer<T> Get<T>(ApiResource resource) where T : KubeObject, IApiType<T>, new()
    {
        lock (_gate)
        {
            if (_informers.TryGetValue((typeof(T), resource), out var known)) return (Informer<T>)known;
            var informer = new Informer<T>(Client, Logs, options, resource);
            _informers[(typeof(T), resource)] = informer;
            if (_stop is { } stop) _running.Add(Task.Run(() => informer.RunAsync(stop), CancellationToken.None));
            return informer;
        }
    }

    /// <summary>An informer that somebody has for the resource already, of whatever type.</summary>
    public IInformer? Find(ApiResource resource)
    {
        lock (_gate) return _informers.Values.FirstOrDefault(i => i.Resource == resource);
    }

    /// <summary>Runs all until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _stop = cancellationToken;
            foreach (var informer in _informers.Values) _running.Add(Task.Run(() => informer.RunAsync(cancellationToken), CancellationToken.None));
        }
        await Task.Delay(Timeout.InfiniteTimeSpan, Client.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Task[] all;
        lock (_gate) all = [.. _running];
        await Task.WhenAll(all);
    }

    public async Task WaitForSyncAsync(CancellationToken cancellationToken)
    {
        IInformer[] all;
        lock (_gate) all = [.. _informers.Values];
        foreach (var informer in all) await informer.WaitForSyncAsync(cancellationToken);
    }
}
