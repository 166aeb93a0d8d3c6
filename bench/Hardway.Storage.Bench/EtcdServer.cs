using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Hardway.Storage.Etcd;

namespace Hardway.Storage.Bench;

/// <summary>One etcd with its defaults in a directory of its own.</summary>
internal sealed class EtcdServer : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hardway-bench-").FullName;
    private readonly Process _process;

    private EtcdServer()
    {
        var (client, peer) = ($"http://127.0.0.1:{FreePort()}", $"http://127.0.0.1:{FreePort()}");
        Url = client;
        Store = new EtcdStore(new EtcdOptions { Endpoints = [client], RequestTimeout = TimeSpan.FromSeconds(30) });
        _process = Process.Start("/usr/bin/etcd",
        [
            "--data-dir", _directory, "--logger", "zap", "--log-level", "error", "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", $"default={peer}",
        ]);
    }

    public string Url { get; }

    public EtcdStore Store { get; }

    public static async Task<EtcdServer> StartAsync()
    {
        var server = new EtcdServer();
        await server.Store.CurrentRevisionAsync(CancellationToken.None).ConfigureAwait(false);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync().ConfigureAwait(false);
        _process.Kill();
        await _process.WaitForExitAsync().ConfigureAwait(false);
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
