using System.Globalization;
using System.Text.Json.Nodes;
using Hardway.Hosting;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.ControlPlane;

/// <summary>What one etcd member says of itself; <see cref="Problem"/> when it does not answer.</summary>
internal sealed record EtcdMemberStatus(Machine Machine, string Id, string Version, long DatabaseBytes, bool IsLeader, string Leader, ulong Term, ulong Index, string? Problem)
{
    /// <summary>It votes on nothing, and does not tell who the members are.</summary>
    public bool IsLearner { get; init; }
}

/// <summary>What the members of etcd say: the list of members, and each one's status. Asked of all at once, as <c>etcdctl endpoint status</c> does.</summary>
internal sealed record EtcdStatus(IReadOnlyDictionary<string, string> Members, IReadOnlyList<EtcdMemberStatus> Statuses, IReadOnlyList<string> Learners)
{
    public EtcdMemberStatus? Leader => Statuses.FirstOrDefault(s => s.IsLeader);

    /// <summary>Those who vote.</summary>
    public IReadOnlyList<string> Voters => [.. Members.Values.Except(Learners).Order()];

    /// <summary>Voters that answer.</summary>
    public IReadOnlyList<string> Alive => [.. Statuses.Where(s => s.Problem is null).Select(s => s.Machine.HostName).Intersect(Voters)];

    public static async Task<EtcdStatus> ReadAsync(ClusterModel cluster, CancellationToken cancellation)
    {
        var statuses = await Task.WhenAll(cluster.Machines.Servers.Select(s => ReadAsync(cluster, s, cancellation))).ConfigureAwait(false);
        var asked = statuses.FirstOrDefault(s => s is { Problem: null, IsLearner: false })
            ?? throw new ComponentException($"no member answers: {string.Join("; ", statuses.Select(s => $"{s.Machine}: {s.Problem}"))}");
        // Serializable: a member answers from its own memory, also when there is no leader.
        var list = await EtcdProbe.PostAsync(cluster, asked.Machine, "/v3/cluster/member/list", """{"linearizable":false}""", cancellation).ConfigureAwait(false);
        var members = (list["members"] as JsonArray ?? []).OfType<JsonNode>().ToList();
        return new EtcdStatus(
            members.ToDictionary(m => (string)m["ID"]!, m => NameOf(cluster, m)),
            statuses,
            [.. members.Where(m => (bool?)m["isLearner"] == true).Select(m => NameOf(cluster, m))]);
    }

    /// <summary>A member that never started has no name yet; its peer URL tells whose it will be.</summary>
    private static string NameOf(ClusterModel cluster, JsonNode member)
    {
        var urls = (member["peerURLs"] as JsonArray ?? []).Select(u => (string?)u).ToList();
        return (string?)member["name"] is { Length: > 0 } name ? name
            : cluster.Machines.Servers.FirstOrDefault(s => urls.Contains($"https://{s.Address}:2380"))?.HostName ?? $"(not started: {string.Join(' ', urls)})";
    }

    /// <summary>The table of <c>etcdctl endpoint status -w table</c>, a line a member.</summary>
    public IReadOnlyList<string> Table()
    {
        List<string[]> rows = [["MEMBER", "ID", "VERSION", "DB SIZE", "IS LEADER", "RAFT TERM", "RAFT INDEX"]];
        rows.AddRange(Statuses.Select(s => s.Problem is not null
            ? new[] { s.Machine.HostName, "-", "-", "-", "-", "-", s.Problem }
            : [s.Machine.HostName, ulong.Parse(s.Id, CultureInfo.InvariantCulture).ToString("x", CultureInfo.InvariantCulture), s.Version, $"{s.DatabaseBytes / 1048576.0:0.0} MB", s.IsLeader ? "true" : "false", $"{s.Term}", $"{s.Index}"]));
        return TextTable.Lines(rows);
    }

    internal static async Task<EtcdMemberStatus> ReadAsync(ClusterModel cluster, Machine server, CancellationToken cancellation)
    {
        try
        {
            var s = await EtcdProbe.PostAsync(cluster, server, "/v3/maintenance/status", "{}", cancellation).ConfigureAwait(false);
            var id = (string?)s["header"]?["member_id"] ?? "";
            var leader = (string?)s["leader"] ?? "";
            return new EtcdMemberStatus(server, id, (string?)s["version"] ?? "?", Number(s["dbSize"]), id == leader, leader, (ulong)Number(s["raftTerm"]), (ulong)Number(s["raftIndex"]), null) { IsLearner = (bool?)s["isLearner"] ?? false };
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException && !cancellation.IsCancellationRequested)
        {
            return new EtcdMemberStatus(server, "", "", 0, false, "", 0, 0, Reasons.Of(e));
        }
    }

    private static long Number(JsonNode? node) => long.Parse((string?)node ?? "0", CultureInfo.InvariantCulture);
}
