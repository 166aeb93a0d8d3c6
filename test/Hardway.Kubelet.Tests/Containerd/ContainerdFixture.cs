using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Tests.Containerd;
using Hardway.Linux.Cgroups;
using Hardway.Linux.Mounts;

[assembly: AssemblyFixture(typeof(ContainerdFixture))]

namespace Hardway.Kubelet.Tests.Containerd;

/// <summary>
/// A containerd of our own (own root, state, socket; Pods on the host's network, so no network plugin) and a kubelet in this process that
/// runs static Pods from a directory. Started by the first test that asks; all of it is gone afterwards.
/// </summary>
public sealed class ContainerdFixture : IAsyncDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private readonly string _cgroup = $"/hardway-test-{Environment.ProcessId}";
    private Process? _containerd;
    private CancellationTokenSource? _kubeletStop;
    private Task<int>? _kubelet;
    private HttpClient? _http;

    public string Folder { get; private set; } = "";

    public int Port { get; private set; }

    public HttpClient Http => _http!;

    public string Manifests => Path.Combine(Folder, "manifests");

    public string Root => Path.Combine(Folder, "kubelet");

    /// <summary>Skips the test where real containers cannot run; in CI that is a failure.</summary>
    public async Task StartAsync()
    {
        var missing = Environment.UserName != "root" ? "root" : new[] { "/usr/bin/containerd", "/usr/sbin/runc", "/usr/bin/ctr", "/bin/busybox" }.FirstOrDefault(f => !File.Exists(f));
        if (missing != null)
        {
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") == null, $"needs {missing}");
            Assert.Fail($"needs {missing}");
        }
        await _one.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (_containerd != null)
                return;
            Prepare();
            _containerd = Process.Start(new ProcessStartInfo("/usr/bin/containerd", ["--config", Path.Combine(Folder, "config.toml")]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            _containerd.ErrorDataReceived += (_, _) => { };
            _containerd.BeginErrorReadLine();
            await EventuallyAsync("containerd's socket", () => Task.FromResult(File.Exists(Socket) ? null : "not there"));
            await ImportAsync("registry.k8s.io/pause:3.10", """["/bin/busybox","sleep","2147483647"]""");
            await ImportAsync("docker.io/library/busybox:1.36", "[]");
            await StartKubeletAsync();
        }
        finally
        {
            _one.Release();
        }
    }

    public async Task StartKubeletAsync()
    {
        _kubeletStop = new CancellationTokenSource();
        _kubelet = KubeletApplet.RunAsync(["--config", Path.Combine(Folder, "kubelet.yaml"), "--root-dir", Root, "--hostname-override", "testnode", "--node-ip", "127.0.0.1"], _kubeletStop.Token);
        await EventuallyAsync("the kubelet's server", async () =>
        {
            using var answer = await TryGetAsync("/healthz");
            return answer?.IsSuccessStatusCode == true ? null : $"answers {answer?.StatusCode.ToString() ?? "nothing"}";
        });
    }

    public async Task StopKubeletAsync()
    {
        await _kubeletStop!.CancelAsync();
        Assert.Equal(0, await _kubelet!);
        _kubeletStop.Dispose();
    }

    public async Task<Pod?> PodAsync(string name)
    {
        var list = ApiJson.Deserialize<PodList>(await Http.GetByteArrayAsync("/pods", TestContext.Current.CancellationToken));
        return list.Items?.FirstOrDefault(p => p.Metadata.Name == name + "-testnode");
    }

    /// <summary>Waits for what a state must come to; the time-out's message says what it was instead.</summary>
    public static async Task EventuallyAsync(string what, Func<Task<string?>> problem, int seconds = 40)
    {
        var start = Stopwatch.GetTimestamp();
        string? last;
        while ((last = await problem()) != null)
        {
            if (Stopwatch.GetElapsedTime(start).TotalSeconds > seconds)
                Assert.Fail($"{what}: {last} after {seconds} s");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    public async Task<HttpResponseMessage?> TryGetAsync(string path)
    {
        try
        {
            return await Http.GetAsync(path, TestContext.Current.CancellationToken);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_containerd != null)
        {
            foreach (var file in Directory.GetFiles(Manifests))
                File.Delete(file);
            await EventuallyAsync("the Pods' end", async () => await NothingLeftAsync() ? null : "some are left");
            await StopKubeletAsync();
            _containerd.Kill();
            await _containerd.WaitForExitAsync(CancellationToken.None);
            _containerd.Dispose();
            Mounter.UnmountBelow(Folder);
            CgroupHierarchy.Detect().Remove(_cgroup);
            Directory.Delete(Folder, true);
        }
        _http?.Dispose();
        _one.Dispose();
    }

    public async Task<bool> NothingLeftAsync() => (await RunAsync("ctr", "-a", Socket, "-n", "k8s.io", "containers", "ls", "-q")).Trim().Length == 0;

    private string Socket => Path.Combine(Folder, "c.sock");

    private void Prepare()
    {
        Folder = Directory.CreateTempSubdirectory("hardway-kubelet-").FullName;
        Directory.CreateDirectory(Manifests);
        Port = FreePort();
        File.WriteAllText(Path.Combine(Folder, "config.toml"),
            $"""
            version = 2
            root = "{Folder}/root"
            state = "{Folder}/state"
            [grpc]
              address = "{Socket}"
            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = "registry.k8s.io/pause:3.10"
              restrict_oom_score_adj = true
              disable_apparmor = true
            """);
        File.WriteAllText(Path.Combine(Folder, "kubelet.yaml"),
            $$$"""
            kind: KubeletConfiguration
            apiVersion: kubelet.config.k8s.io/v1beta1
            address: 127.0.0.1
            port: {{{Port}}}
            healthzPort: 0
            cgroupRoot: {{{_cgroup}}}
            containerRuntimeEndpoint: unix://{{{Socket}}}
            failSwapOn: false
            podLogsDir: {{{Folder}}}/logs
            staticPodPath: {{{Manifests}}}
            authorization: {mode: AlwaysAllow}
            authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
            """);
#pragma warning disable CA5399, CA5400 // The server's certificate is made at its start and known to nobody.
        _http = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } }) { BaseAddress = new Uri($"https://127.0.0.1:{Port}") };
#pragma warning restore CA5399, CA5400
    }

    private async Task ImportAsync(string tag, string entrypoint)
    {
        var archive = Path.Combine(Folder, "image.tar");
        ImageArchive.Write(archive, tag, "/bin/busybox", entrypoint);
        await RunAsync("ctr", "-a", Socket, "-n", "k8s.io", "images", "import", archive);
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var output = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {await error}");
        return output;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
