using Hardway.Api;
using Hardway.Client;
using Hardway.Hosting;
using Microsoft.Extensions.Logging;

namespace Hardway.ControllerManager;

/// <summary>
/// What every controller is made from: shared informers (read as the controller manager itself), a client of its own identity, events, time.
/// Owns the clients and runs the event recorders. Made when the Lease is held.
/// </summary>
internal sealed class ControllerContext : IDisposable
{
    private readonly KubeTransport? _anonymous;
    private readonly Dictionary<string, KubeClient> _clients = new(StringComparer.Ordinal);
    private readonly List<EventRecorder> _recorders = [];

    /// <param name="options">The program's options.</param>
    /// <param name="root">The controller manager's own identity.</param>
    /// <param name="anonymous">Connections without a client certificate, for service accounts; null: every controller is the root identity.</param>
    /// <param name="logs">Where to log.</param>
    /// <param name="metrics">Where to count.</param>
    public ControllerContext(ControllerManagerOptions options, KubeClient root, KubeTransport? anonymous, ILoggerFactory logs, Metrics metrics)
    {
        (Options, Root, Logs, Metrics, _anonymous) = (options, root, logs, metrics, anonymous);
        Informers = new InformerFactory(root, logs, new InformerOptions { Resync = options.MinResyncPeriod });
    }

    public ControllerManagerOptions Options { get; }
    public KubeClient Root { get; }
    public InformerFactory Informers { get; }
    public ILoggerFactory Logs { get; }
    public Metrics Metrics { get; }
    public TimeProvider Time => Root.Time;

    /// <summary>A client as kube-system's service account of that name, or the root client without --use-service-account-credentials.</summary>
    public KubeClient ClientFor(string serviceAccount)
    {
        if (_anonymous is null) return Root;
        if (_clients.TryGetValue(serviceAccount, out var client)) return client;
        return _clients[serviceAccount] = new KubeClient(_anonymous, new ServiceAccountTokenSource(Root, "kube-system", serviceAccount), $"kube-controller-manager/{serviceAccount}", Time);
    }

    /// <summary>What the server has, as discovery told; null: what every server has by default.</summary>
    public IReadOnlySet<ApiResource>? Served { get; init; }

    public bool Serves(ApiResource resource) => Served?.Contains(resource) ?? ApiCatalog.Find(resource.Group, resource.Version, resource.Plural)?.OnByDefault == true;

    /// <summary>--concurrent-NAME-syncs, or five.</summary>
    public int WorkersOf(string name) => Options.Workers.GetValueOrDefault(name, 5);

    public EventRecorder EventsFor(string component, string serviceAccount)
    {
        var recorder = new EventRecorder(ClientFor(serviceAccount), component, Logs);
        _recorders.Add(recorder);
        return recorder;
    }

    /// <summary>Runs the informers and the event recorders until the token is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll([Informers.RunAsync(cancellationToken), .. _recorders.Select(r => r.RunAsync(cancellationToken))]);

    public void Dispose()
    {
        foreach (var client in _clients.Values) client.Dispose();
    }
}
