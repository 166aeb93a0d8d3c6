using System.Globalization;
using Hardway.Hosting;
using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Doctor;

/// <summary>How full one member's etcd is.</summary>
internal sealed record EtcdSpace(Machine Member, double Bytes, double Quota);

/// <summary>
/// Everything that was seen of a cluster at one time: each machine's own answers, what its TLS servers show, etcd, the load balancer, and the API. Taken all at once;
/// diagnoses are made of it without looking again, so they can be tried on one that was made by hand.
/// </summary>
internal sealed record Examination(ClusterModel Cluster)
{
    public IReadOnlyDictionary<Machine, MachineFacts> Facts { get; init; } = new Dictionary<Machine, MachineFacts>();

    /// <summary>Machines that do not answer SSH, and why.</summary>
    public IReadOnlyDictionary<string, string> Silent { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<ShownCertificate> Certificates { get; init; } = [];

    public EtcdStatus? Etcd { get; init; }

    public IReadOnlyList<EtcdSpace> EtcdSpace { get; init; } = [];

    public IReadOnlyList<BackendStatus> Backends { get; init; } = [];

    public ApiFacts Api { get; init; } = new("not asked", [], [], null, null, null);

    public MachineDatabase Machines => Cluster.Machines;

    public IEnumerable<(Machine Machine, MachineFacts Facts)> All => Facts.Select(f => (f.Key, f.Value));

    public IEnumerable<(Machine Machine, MachineFacts Facts)> Servers => All.Where(f => f.Machine.Role == MachineRole.Server);

    public IEnumerable<(Machine Machine, MachineFacts Facts)> Nodes => All.Where(f => f.Machine.Role == MachineRole.Node);

    public static async Task<Examination> TakeAsync(ClusterModel cluster, IReadOnlyDictionary<string, string> silent, CancellationToken cancellation)
    {
        var machines = cluster.Machines.Machines.Where(m => !silent.ContainsKey(m.HostName)).ToList();
        var facts = Task.WhenAll(machines.Select(async m => (Machine: m, Facts: await AskAsync(cluster, m, MachineQuestions.Render(cluster, m), cancellation).ConfigureAwait(false))));
        var certificates = Task.WhenAll(TlsEndpoints.Of(cluster.Machines).Where(e => e.Machine.Role != MachineRole.LoadBalancer)
            .Select(e => ShownCertificate.LookAsync(cluster, e, cancellation)));
        var etcd = OrNullAsync(EtcdStatus.ReadAsync(cluster, cancellation));
        var space = Task.WhenAll(cluster.Machines.Servers.Select(s => SpaceAsync(cluster, s, cancellation)));
        var api = ApiFacts.ReadAsync(cluster, cancellation);
        var backends = cluster.Machines.LoadBalancer is { } balancer && machines.Contains(balancer)
            ? OrNullAsync(BackendStatus.ReadAsync(cluster, balancer, cancellation))
            : Task.FromResult<IReadOnlyList<BackendStatus>?>(null);
        return new Examination(cluster)
        {
            Facts = (await facts.ConfigureAwait(false)).ToDictionary(f => f.Machine, f => f.Facts),
            Silent = silent,
            Certificates = await certificates.ConfigureAwait(false),
            Etcd = await etcd.ConfigureAwait(false),
            EtcdSpace = [.. (await space.ConfigureAwait(false)).OfType<EtcdSpace>()],
            Backends = await backends.ConfigureAwait(false) ?? [],
            Api = await api.ConfigureAwait(false),
        };
    }

    /// <summary>A machine's answers to questions (a script), and how far its clock is from this computer's.</summary>
    internal static async Task<MachineFacts> AskAsync(ClusterModel cluster, Machine machine, string questions, CancellationToken cancellation)
    {
        var ssh = cluster.SshTo(machine);
        var began = cluster.Options.Time.GetUtcNow();
        var clock = await ssh.RunAsync("doctor", "date +%s.%N", cancellation).ConfigureAwait(false);
        var ended = cluster.Options.Time.GetUtcNow();
        var theirs = DateTimeOffset.FromUnixTimeMilliseconds((long)(double.Parse(clock.Output, CultureInfo.InvariantCulture) * 1000));
        var offset = theirs < began ? theirs - began : theirs > ended ? theirs - ended : TimeSpan.Zero;
        var answer = await ssh.RunAsync("doctor", questions, cancellation, limit: TimeSpan.FromSeconds(20)).ConfigureAwait(false);
        return MachineFacts.Parse(answer.Output, offset);
    }

    private static async Task<EtcdSpace?> SpaceAsync(ClusterModel cluster, Machine server, CancellationToken cancellation)
    {
        var metrics = await OrNullAsync(EtcdProbe.GetTextAsync(cluster, server, "/metrics", cancellation)).ConfigureAwait(false);
        return metrics is null ? null : new EtcdSpace(server, Metric("etcd_mvcc_db_total_size_in_bytes"), Metric("etcd_server_quota_backend_bytes"));

        double Metric(string name) => metrics.Split('\n').Where(l => l.StartsWith(name + " ", StringComparison.Ordinal))
            .Select(l => double.Parse(l[(name.Length + 1)..], CultureInfo.InvariantCulture)).FirstOrDefault();
    }

    /// <summary>What does not answer is not known; that it does not answer is found elsewhere (its unit, its handshake).</summary>
    private static async Task<T?> OrNullAsync<T>(Task<T> question)
        where T : class
    {
        try
        {
            return await question.ConfigureAwait(false);
        }
        catch (Exception e) when (e is ComponentException or HttpRequestException or TaskCanceledException or IOException)
        {
            return null;
        }
    }
}
