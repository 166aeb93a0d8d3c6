using System.Text.Json.Nodes;
using Hardway.Hosting;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.ControlPlane;

/// <summary>
/// Takes members out of a running etcd and brings them in: as a learner first, which votes on nothing until it has everything, so that a new member that never
/// comes up costs no quorum. Asked of a member that stays.
/// </summary>
internal static class EtcdMembership
{
    private const string _dropIn = "/run/systemd/system/etcd.service.d";

    private static readonly TimeSpan _catchUp = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan _settled = TimeSpan.FromSeconds(20);

    /// <summary>Why a server's member cannot be taken out; null when what is left can go on writing.</summary>
    /// <param name="voters">The members that vote now.</param>
    /// <param name="alive">Those of them that answer.</param>
    /// <param name="leaving">Who is to go.</param>
    public static string? RemovalObstacle(IReadOnlyList<string> voters, IReadOnlyList<string> alive, string leaving)
    {
        var left = voters.Where(v => v != leaving).ToList();
        var answering = left.Intersect(alive).ToList();
        var majority = (left.Count / 2) + 1;
        return left.Count == 0 ? $"{leaving} is the only member of etcd: with it goes everything that the cluster knows"
            : answering.Count >= majority ? null
            : $"etcd would be left with {left.Count} members ({string.Join(", ", left)}), of which {majority} must answer for every write, and {Who(answering)}: bring {string.Join(", ", left.Except(alive))} back, or remove that first";
    }

    /// <summary>Why nobody can join now; null when somebody can.</summary>
    public static string? JoiningObstacle(IReadOnlyList<string> voters, IReadOnlyList<string> alive)
    {
        var majority = ((voters.Count + 1) / 2) + 1;
        return alive.Count + 1 >= majority ? null
            : $"etcd would have {voters.Count + 1} members, of which {majority} must answer for every write, and of those that there are {Who(alive)}: bring {string.Join(", ", voters.Except(alive))} back, or remove that first";
    }

    private static string Who(IReadOnlyList<string> answering) => answering.Count == 0 ? "none answers" : $"only {string.Join(", ", answering)} answer{(answering.Count == 1 ? "s" : "")}";

    /// <summary>Takes the member out, stops it, and deletes its data: a member that was removed may never come back with what it had. A leader hands over first.</summary>
    public static async Task RemoveAsync(ClusterModel cluster, Machine server, bool reachable, CancellationToken cancellation)
    {
        var witness = await WitnessAsync(cluster, server, cancellation).ConfigureAwait(false);
        var status = await EtcdStatus.ReadAsync(cluster, cancellation).ConfigureAwait(false);
        if (status.Leader?.Machine == server && status.Statuses.FirstOrDefault(s => s.Machine == witness) is { Problem: null, Id: var successor } && !status.Learners.Contains(witness.HostName))
        {
            await EtcdProbe.PostAsync(cluster, server, "/v3/maintenance/transfer-leadership", $$"""{"targetID":"{{successor}}"}""", cancellation).ConfigureAwait(false);
        }

        if (status.Members.FirstOrDefault(m => m.Value == server.HostName) is { Key: { } id })
        {
            await ChangeAsync(cluster, witness, "/v3/cluster/member/remove", $$"""{"ID":"{{id}}"}""", cancellation).ConfigureAwait(false);
        }

        if (reachable)
        {
            await cluster.SshTo(server).RunAsync("etcd", "systemctl stop etcd; rm -rf /var/lib/etcd/member", cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// <list type="number">
    /// <item>adds the member as a learner,</item>
    /// <item>starts it with an empty data folder, told to join what exists and with just the members that exist,</item>
    /// <item>waits until it has caught up, and promotes it.</item>
    /// </list>
    /// </summary>
    public static async Task AddAsync(ClusterModel cluster, Machine server, StepContext context, CancellationToken cancellation)
    {
        var status = await EtcdStatus.ReadAsync(cluster, cancellation).ConfigureAwait(false);
        if (status.Voters.Contains(server.HostName))
        {
            return;
        }

        await AnnounceAsync(cluster, server, cancellation).ConfigureAwait(false);
        await StartAsync(cluster, server, cancellation).ConfigureAwait(false);
        await AdmitAsync(cluster, server, context, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Whether etcd, asked by the other servers, has no use for this one as it is: not a member, not a voting one yet, or one that has lost its data. Null when it is a
    /// member; also when no other server answers, for then nothing is known.
    /// </summary>
    public static async Task<string?> MissesAsync(ClusterModel cluster, Machine server, CancellationToken cancellation)
    {
        EtcdStatus status;
        try
        {
            status = await EtcdStatus.ReadAsync(cluster, cancellation).ConfigureAwait(false);
        }
        catch (ComponentException)
        {
            return null;
        }

        if (!status.Voters.Contains(server.HostName))
        {
            return status.Learners.Contains(server.HostName) ? "it is a learner and votes on nothing yet" : $"etcd has {status.Members.Count} members and it is none of them";
        }

        var data = await cluster.SshTo(server).RunAsync("etcd", "[ -d /var/lib/etcd/member/wal ]", cancellation, mayFail: true).ConfigureAwait(false);
        return data.Succeeded ? null : "it is a member whose data is gone: it has to leave and to join again";
    }

    /// <summary>Makes the server a learner by name, while it is not running, and leaves a note on it of how to start for the first time. An earlier member of that name goes.</summary>
    public static async Task AnnounceAsync(ClusterModel cluster, Machine server, CancellationToken cancellation)
    {
        var witness = await WitnessAsync(cluster, server, cancellation).ConfigureAwait(false);
        var status = await EtcdStatus.ReadAsync(cluster, cancellation).ConfigureAwait(false);
        var others = status.Voters.Where(v => v != server.HostName).ToList();
        if (JoiningObstacle(others, [.. status.Alive.Where(v => v != server.HostName)]) is { } obstacle)
        {
            throw new ComponentException(obstacle);
        }

        await cluster.SshTo(server).RunAsync("etcd", "systemctl stop etcd 2>/dev/null; rm -rf /var/lib/etcd/member", cancellation).ConfigureAwait(false);
        if (status.Members.FirstOrDefault(m => m.Value == server.HostName) is { Key: { } id })
        {
            await ChangeAsync(cluster, witness, "/v3/cluster/member/remove", $$"""{"ID":"{{id}}"}""", cancellation).ConfigureAwait(false);
        }

        await ChangeAsync(cluster, witness, "/v3/cluster/member/add", $$"""{"peerURLs":["https://{{server.Address}}:2380"],"isLearner":true}""", cancellation).ConfigureAwait(false);
        var members = cluster.Machines.Servers.Where(s => s == server || status.Members.Values.Contains(s.HostName)).Select(EtcdBootstrap.Url);
        // Of a boot's life only: once the member has data, etcd reads none of these flags.
        await cluster.SshTo(server).RunAsync(
            "etcd",
            $"""
            set -eu
            mkdir -p {_dropIn}
            cat >{_dropIn}/join.conf <<'UNIT'
            [Service]
            ExecStart=
            {EtcdStep.Command(server, "existing", string.Join(',', members))}
            UNIT
            systemctl daemon-reload
            """,
            cancellation).ConfigureAwait(false);
    }

    /// <summary>Waits until the learner has everything, makes it a voting member, and takes the note away.</summary>
    public static async Task AdmitAsync(ClusterModel cluster, Machine server, StepContext context, CancellationToken cancellation)
    {
        var witness = await WitnessAsync(cluster, server, cancellation).ConfigureAwait(false);
        await context.WaitAsync(
            $"etcd on {server} to have caught up",
            async token => await PromoteAsync(cluster, witness, server, token).ConfigureAwait(false),
            _catchUp,
            null,
            cancellation).ConfigureAwait(false);
        await cluster.SshTo(server).RunAsync("etcd", $"rm -rf {_dropIn}; systemctl daemon-reload", cancellation).ConfigureAwait(false);
    }

    public static Task StartAsync(ClusterModel cluster, Machine server, CancellationToken cancellation)
        => cluster.SshTo(server).RunAsync("etcd", "systemctl reset-failed etcd 2>/dev/null; systemctl restart --no-block etcd", cancellation);

    /// <summary>Takes back every alarm: after one of lacking space all of etcd refuses writes until somebody does.</summary>
    public static async Task DisarmAsync(ClusterModel cluster, Machine witness, CancellationToken cancellation)
    {
        var list = await EtcdProbe.PostAsync(cluster, witness, "/v3/maintenance/alarm", """{"action":"GET"}""", cancellation).ConfigureAwait(false);
        foreach (var alarm in (list["alarms"] as JsonArray ?? []).OfType<JsonNode>())
        {
            var body = $$"""{"action":"DEACTIVATE","memberID":"{{(string?)alarm["memberID"]}}","alarm":"{{(string?)alarm["alarm"]}}"}""";
            await EtcdProbe.PostAsync(cluster, witness, "/v3/maintenance/alarm", body, cancellation).ConfigureAwait(false);
        }
    }

    private static async Task<string?> PromoteAsync(ClusterModel cluster, Machine witness, Machine server, CancellationToken cancellation)
    {
        try
        {
            var status = await EtcdStatus.ReadAsync(cluster, cancellation).ConfigureAwait(false);
            var id = status.Members.FirstOrDefault(m => m.Value == server.HostName).Key;
            if (id is null)
            {
                return "it has not joined yet";
            }

            if (status.Learners.Contains(server.HostName))
            {
                await EtcdProbe.PostAsync(cluster, witness, "/v3/cluster/member/promote", $$"""{"ID":"{{id}}"}""", cancellation).ConfigureAwait(false);
            }

            return await EtcdProbe.HealthAsync(cluster, server, cancellation).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            // etcd refuses to promote a learner that is behind.
            return Reasons.Of(e);
        }
    }

    /// <summary>
    /// A change of the members. etcd refuses one ("unhealthy cluster") until its members have been connected to each other for 5 s (--strict-reconfig-check): one
    /// that was started again a moment ago is waited for.
    /// </summary>
    private static async Task ChangeAsync(ClusterModel cluster, Machine witness, string path, string body, CancellationToken cancellation)
    {
        var time = cluster.Options.Time;
        var start = time.GetTimestamp();
        while (true)
        {
            try
            {
                await EtcdProbe.PostAsync(cluster, witness, path, body, cancellation).ConfigureAwait(false);
                return;
            }
            catch (HttpRequestException e) when (e.Message.Contains("unhealthy cluster", StringComparison.Ordinal) && time.GetElapsedTime(start) < _settled)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), time, cancellation).ConfigureAwait(false);
            }
            catch (HttpRequestException e)
            {
                throw new ComponentException($"etcd on {witness}: {e.Message}", e);
            }
        }
    }

    /// <summary>A member that stays, votes, and answers.</summary>
    private static async Task<Machine> WitnessAsync(ClusterModel cluster, Machine server, CancellationToken cancellation)
    {
        if (cluster.Machines.Servers.All(s => s == server))
        {
            throw new ComponentException($"{server} is the only server: its etcd cannot go");
        }

        var status = await EtcdStatus.ReadAsync(cluster, cancellation).ConfigureAwait(false);
        return cluster.Machines.Servers.FirstOrDefault(s => s != server && status.Alive.Contains(s.HostName)) ?? throw new ComponentException($"no member of etcd but {server} answers");
    }
}
