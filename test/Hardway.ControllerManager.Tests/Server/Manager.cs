using Hardway.Client;
using Hardway.Hosting;

namespace Hardway.ControllerManager.Tests.Server;

/// <summary>One controller manager in this process: a client, caches and controllers of its own. Killing it cuts every request off where it is.</summary>
internal sealed class Manager : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly KubeClient _client;
    private readonly ControllerContext _context;
    private readonly List<Controller> _controllers;
    private readonly Task _running;
    private bool _ended;

    public Manager(KubeConfig server, TimeProvider time, IEnumerable<Func<ControllerContext, Controller>> make, ControllerManagerOptions? options = null)
    {
        _client = new KubeClient(server, "test", time);
        _context = new ControllerContext(options ?? new ControllerManagerOptions(), _client, null, Cluster.Logs, new Metrics());
        _controllers = [.. make.Select(m => m(_context))];
        _running = Task.WhenAll([_context.RunAsync(_stop.Token), .. _controllers.Select(c => c.RunAsync(_stop.Token))]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_ended) return;
        _ended = true;
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var controller in _controllers) controller.Dispose();
        _context.Dispose();
        _client.Dispose();
        _stop.Dispose();
    }
}
