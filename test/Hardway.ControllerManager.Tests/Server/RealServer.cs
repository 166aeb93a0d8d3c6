using System.Net;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Serving;
using Hardway.Client;
using Hardway.Hosting;

namespace Hardway.ControllerManager.Tests.Server;

/// <summary>A real API server with the embedded store, in this process and on a real port; anybody may do anything. Each test takes a namespace of its own.</summary>
public sealed class RealServer : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("controllers").FullName;
    private readonly CancellationTokenSource _stop = new();
    private readonly ComponentLog _logs = new(0, TextWriter.Null);
    private Hardway.ApiServer.Serving.ApiServer? _server;
    private Task _running = Task.CompletedTask;
    private int _namespaces;

    internal KubeConfig Config => new() { Server = new Uri($"https://127.0.0.1:{_server!.Port}"), InsecureSkipTlsVerify = true };

    public async ValueTask InitializeAsync()
    {
        var options = new ApiServerOptions
        {
            BindAddress = IPAddress.Loopback,
            AdvertiseAddress = IPAddress.Parse("10.240.0.70"),
            DataDir = Path.Combine(_directory, "store"),
            CertDir = Path.Combine(_directory, "certificates"),
            ServiceClusterIpRange = "10.32.0.0/16",
        };
        options.Admission.AddFlags(new FlagSet("test", ""));
        _server = new Hardway.ApiServer.Serving.ApiServer(options, _logs, TimeProvider.System);
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _running = _server.RunAsync(_stop.Token, anyPort: true, started.SetResult);
        if (await Task.WhenAny(started.Task, _running) == _running) await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _server!.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>A new namespace with the service account that Pods need.</summary>
    internal async Task<string> NewNamespaceAsync(KubeClient client, CancellationToken ct)
    {
        var name = $"test-{Interlocked.Increment(ref _namespaces)}";
        await client.CreateAsync(new Namespace { Metadata = new ObjectMeta { Name = name } }, ct);
        await client.CreateAsync(new ServiceAccount { Metadata = new ObjectMeta { Namespace = name, Name = "default" } }, ct);
        return name;
    }
}
