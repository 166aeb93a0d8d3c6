using Hardway.Api.Core.V1;
using Hardway.Client;
using Microsoft.Extensions.Logging;

namespace Hardway.Proxy.LoadBalancing;

/// <summary>
/// Keeps the announcer's view current. All nodes are watched from the first announced address on; a cluster without LoadBalancer Services pays for
/// nothing here. One loop; <see cref="Changed"/> is for any thread.
/// </summary>
internal sealed class LoadBalancerWatch
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);
    private readonly Informer<Node> _nodes;
    private readonly ClusterWatch _cluster;
    private readonly Announcer _announcer;
    private readonly TimeProvider _time;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public LoadBalancerWatch(KubeClient client, ILoggerFactory logs, ClusterWatch cluster, Announcer announcer)
    {
        (_cluster, _announcer, _time) = (cluster, announcer, client.Time);
        _nodes = new Informer<Node>(client, logs, new InformerOptions { Trim = o => ((Node)o).Status.Images = null });
        _nodes.AddHandler(_ => Changed());
    }

    public void Changed() => _changed.TrySetResult();

    public async Task RunAsync(CancellationToken cancel)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        List<Task> running = [];
        try
        {
            while (true)
            {
                if (running.Count == 0 && _cluster.HasAnnouncedServices)
                {
                    running = [_nodes.RunAsync(ended.Token), _announcer.RunAsync(ended.Token)];
                    await _nodes.WaitForSyncAsync(cancel).ConfigureAwait(false);
                }

                if (running.Count > 0)
                {
                    _announcer.View = _cluster.Announcements(_nodes.Store.List());
                }

                var changed = _changed.Task;
                await Task.WhenAny([changed, .. running]).WaitAsync(cancel).ConfigureAwait(false);
                if (running.Find(t => t.IsCompleted) is { } failed)
                {
                    await failed.ConfigureAwait(false);
                    return;
                }

                await Task.Delay(s_pause, _time, cancel).ConfigureAwait(false);
                Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
            }
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
