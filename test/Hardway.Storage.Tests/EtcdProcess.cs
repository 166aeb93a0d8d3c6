using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Hardway.Grpc;
using Hardway.Storage.Etcd;

namespace Hardway.Storage.Tests;

/// <summary>Debian's etcd in a directory of its own on free loopback ports; can be stopped hard, frozen and started again.</summary>
internal sealed class EtcdProcess : IAsyncDisposable
{
    private readonly List<string> _arguments;
    private readonly string _directory;
    private readonly GrpcTlsOptions _tls;
    private Process? _process;

    private EtcdProcess(string name, string directory, string client, string peer, string cluster, GrpcTlsOptions? tls)
    {
        _directory = directory;
        _tls = tls ?? new GrpcTlsOptions();
        Endpoint = client;
        _arguments =
        [
            "--name", name, "--data-dir", directory, "--logger", "zap", "--log-level", "error", "--unsafe-no-fsync",
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster,
        ];
    }

    public string Endpoint { get; }

    public static async Task<EtcdProcess> StartAsync() => (await StartClusterAsync(1))[0];

    public static async Task<List<EtcdProcess>> StartClusterAsync(int members)
    {
        var ports = FreePorts(members * 2);
        var cluster = string.Join(",", Enumerable.Range(0, members).Select(i => $"m{i}=http://127.0.0.1:{ports[(2 * i) + 1]}"));
        var processes = Enumerable.Range(0, members).Select(i => new EtcdProcess(
            $"m{i}", Directory.CreateTempSubdirectory("hardway-etcd-").FullName, $"http://127.0.0.1:{ports[2 * i]}", $"http://127.0.0.1:{ports[(2 * i) + 1]}", cluster, null)).ToList();
        processes.ForEach(p => p.Start());
        await Task.WhenAll(processes.Select(p => p.WaitReadyAsync()));
        return processes;
    }

    /// <summary>One member that takes only clients with a certificate of its authority, as the tutorial's etcd does.</summary>
    public static async Task<EtcdProcess> StartWithTlsAsync(EtcdCertificates certificates)
    {
        var ports = FreePorts(2);
        var peer = $"http://127.0.0.1:{ports[1]}";
        var etcd = new EtcdProcess("m0", Directory.CreateTempSubdirectory("hardway-etcd-").FullName, $"https://127.0.0.1:{ports[0]}", peer, $"m0={peer}", certificates.Client);
        etcd._arguments.AddRange(["--client-cert-auth", "--trusted-ca-file", certificates.AuthorityFile, "--cert-file", certificates.ServerFile, "--key-file", certificates.ServerKeyFile]);
        etcd.Start();
        await etcd.WaitReadyAsync();
        return etcd;
    }

    public EtcdStore Connect() => new(new EtcdOptions { Endpoints = [Endpoint], Tls = _tls });

    public void Start()
    {
        var info = new ProcessStartInfo("/usr/bin/etcd") { RedirectStandardError = true, RedirectStandardOutput = true };
        _arguments.ForEach(info.ArgumentList.Add);
        _process = Process.Start(info)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    /// <summary>Until it has a leader and answers a linearizable read.</summary>
    public async Task WaitReadyAsync()
    {
        var limit = TimeProvider.System.GetTimestamp();
        while (true)
        {
            await using var store = Connect();
            try
            {
                await store.CurrentRevisionAsync(TestContext.Current.CancellationToken);
                return;
            }
            catch (StoreException e) when (TimeProvider.System.GetElapsedTime(limit) < TimeSpan.FromSeconds(40))
            {
                Assert.False(_process!.HasExited, $"etcd ended with {(_process.HasExited ? _process.ExitCode : 0)}: {e.Message}");
            }
        }
    }

    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }
    }

    public Task FreezeAsync() => SignalAsync("STOP");

    public Task ThawAsync() => SignalAsync("CONT");

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private static List<int> FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(l => l.Start());
        var ports = listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port).ToList();
        listeners.ForEach(l => l.Stop());
        return ports;
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
