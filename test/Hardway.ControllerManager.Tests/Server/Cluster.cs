using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Batch.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Client;
using Hardway.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace Hardway.ControllerManager.Tests.Server;

/// <summary>
/// What a test on a real server needs: a namespace, a client, the test's own view of the objects (informers that say when something changed), a kubelet that
/// is pretended, and controller managers that can be killed. The controllers' time is the test's; the server's is real.
/// </summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly RealServer _server;
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly List<Manager> _managers = [];
    private readonly InformerFactory _view;
    private readonly Task _viewing;
    private readonly HashSet<Type> _seen = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Cluster(RealServer server, KubeClient client, string ns)
    {
        (_server, Client, Namespace) = (server, client, ns);
        _view = new InformerFactory(Client, Logs);
        _viewing = _view.RunAsync(_stop.Token);
    }

    public static ComponentLog Logs { get; } = new(0, TextWriter.Null);

    public KubeClient Client { get; }

    public string Namespace { get; }

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

    public CancellationToken Stop => _stop.Token;

    public static async Task<Cluster> StartAsync(RealServer server)
    {
        var client = new KubeClient(server.Config, "test");
        var cluster = new Cluster(server, client, await server.NewNamespaceAsync(client, TestContext.Current.CancellationToken));
        // What nearly every test looks at is in view from the start.
        _ = (cluster.View<Pod>(), cluster.View<ReplicaSet>(), cluster.View<Deployment>(), cluster.View<StatefulSet>(), cluster.View<DaemonSet>(), cluster.View<Job>(), cluster.View<EndpointSlice>());
        _ = (cluster.View<PersistentVolumeClaim>(), cluster.View<ConfigMap>(), cluster.View<Secret>(), cluster.View<Node>(), cluster.View<Event>());
        await cluster._view.WaitForSyncAsync(cluster.Stop);
        return cluster;
    }

    /// <summary>A controller manager with these controllers, working at once (who leads is not its business).</summary>
    public Manager Run(params Func<ControllerContext, Controller>[] controllers)
    {
        var manager = new Manager(_server.Config, Time, controllers);
        lock (_managers) _managers.Add(manager);
        return manager;
    }

    /// <summary>Pretends kubelets in this namespace.</summary>
    public Manager RunKubelet(Func<Pod, string?>? phase = null) => Run(c => new PretendKubelet(c, Namespace, phase));

    public T[] All<T>() where T : KubeObject, IApiType<T>, new() => View<T>().Store.List(Namespace);

    public T? Get<T>(string name) where T : KubeObject, IApiType<T>, new() => View<T>().Store.Get(Namespace, name);

    public Informer<T> View<T>() where T : KubeObject, IApiType<T>, new()
    {
        var informer = _view.Get<T>();
        lock (_seen)
        {
            if (_seen.Add(typeof(T))) informer.AddHandler(_ => Wake());
        }
        return informer;
    }

    /// <summary>Ends when the predicate holds; it is asked after every change that this test's view shows.</summary>
    public Task UntilAsync(Func<bool> predicate, string what, Func<string>? state = null) => UntilAsync(predicate, what, null, state);

    /// <summary>The same while the controllers' time goes on by a step whenever nothing has changed for a moment.</summary>
    public async Task UntilAsync(Func<bool> predicate, string what, TimeSpan? step, Func<string>? state = null)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (true)
        {
            Task changed;
            lock (_seen) changed = _changed.Task;
            if (predicate()) return;
            try
            {
                await changed.WaitAsync(step is null ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(50), patience.Token);
            }
            catch (TimeoutException)
            {
                Time.Advance(step!.Value);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"waited for {what}; {state?.Invoke()}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Manager[] all;
        lock (_managers) all = [.. _managers];
        foreach (var manager in all) await manager.DisposeAsync();
        await _stop.CancelAsync();
        await _viewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Client.Dispose();
        _stop.Dispose();
    }

    private void Wake()
    {
        TaskCompletionSource woken;
        lock (_seen) (woken, _changed) = (_changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
        woken.TrySetResult();
    }
}
