[assembly: AssemblyFixture(typeof(Hardway.EndToEnd.ClusterFixture))]

namespace Hardway.EndToEnd;

/// <summary>
/// The cluster all these tests look at: brought up once by the published program on a host that has none, and taken down at the end, which fails when
/// anything is left. A cluster that somebody has up is theirs: then nothing is touched and every test says so.
/// </summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    private const string Cluster = "/var/lib/hardway/clusters/default";
    private bool _ours;

    /// <summary>What `up` said, one JSON object a line.</summary>
    internal string UpOutput { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (Environment.UserName != "root")
        {
            if (Environment.GetEnvironmentVariable("CI") is { Length: > 0 }) Assert.Fail("the lab needs root");
            Assert.Skip("the lab needs root");
        }
        if (!File.Exists(ProgramRun.Hardway)) Assert.Fail($"{ProgramRun.Hardway} does not exist: run ./hardway build");
        if (Directory.Exists(Cluster)) Assert.Fail($"there is a cluster on this host ({Cluster}), and these tests make one of their own: take it down first with ./hardway down");
        _ours = true;
        UpOutput = await ProgramRun.HardwayAsync(TimeSpan.FromMinutes(10), "up", "-o", "json");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_ours) return;
        var down = await ProgramRun.RunAsync(ProgramRun.Hardway, TimeSpan.FromMinutes(2), ["down"]);
        if (down.ExitCode != 0) throw new InvalidOperationException(down.ToString());
        var mounts = await File.ReadAllTextAsync("/proc/mounts");
        if (mounts.Contains("/var/lib/hardway/machines", StringComparison.Ordinal)) throw new InvalidOperationException("down left mounts");
        if (Directory.Exists("/sys/class/net/hw0")) throw new InvalidOperationException("down left the bridge");
        if (Directory.Exists(Cluster)) throw new InvalidOperationException("down left the cluster's keys");
        if ((await File.ReadAllTextAsync("/etc/hosts")).Contains("server-0.kubernetes.local", StringComparison.Ordinal)) throw new InvalidOperationException("down left names in /etc/hosts");
    }
}
