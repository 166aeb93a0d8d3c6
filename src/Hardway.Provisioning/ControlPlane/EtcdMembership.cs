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

    /// <summary>Takes the member out, stops it, and deletes its data: a member that was removed may never come back with what it had.</summary>
    public static async Task RemoveAsync(ClusterModel cluster, Machine server, bool reachable, CancellationToken cancellation)
    {
        var witness = Witness(cluster, server);
        var status = await EtcdStatus.ReadAsync(cluster, cancellation).ConfigureAwait(false);
        if (status.Members.FirstOrDefault(m => m.Value == server.HostName) is { Key: { } id })
        {
            await EtcdProbe.PostAsync(cluster, witness, "/v3/cluster/member/remove", $$"""{"ID":"{{id}}"}""", cancellation).ConfigureAwait(false);
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
        var witness = Witness(cluster, server);
        var status = await EtcdStatus.ReadAsync(cluster, cancellation).ConfigureAwait(false);
        var names = status.Members.Values.ToHashSet();
        if (names.Contains(server.HostName) && status.Learners.Count == 0)
        {
            return;
        }

        if (!names.Contains(server.HostName) && !names.Contains("(not started)"))
        {
            await EtcdProbe.PostAsync(cluster, witness, "/v3/cluster/member/add", $$"""{"peerURLs":["https://{{server.Address}}:2380"],"isLearner":true}""", cancellation).ConfigureAwait(false);
            await StartAsync(cluster, server, names, cancellation).ConfigureAwait(false);
        }
        else if (names.Contains("(not started)"))
        {
            await StartAsync(cluster, server, names, cancellation).ConfigureAwait(false);
        }

        await context.WaitAsync(
            $"etcd on {server} to have caught up",
            async token => await PromoteAsync(cluster, witness, server, token).ConfigureAwait(false),
            TimeSpan.FromSeconds(90),
            null,
            cancellation).ConfigureAwait(false);
        await cluster.SshTo(server).RunAsync("etcd", $"rm -rf {_dropIn}; systemctl daemon-reload", cancellation).ConfigureAwait(false);
    }

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

    private static Task StartAsync(ClusterModel cluster, Machine server, HashSet<string> names, CancellationToken cancellation)
    {
        var members = cluster.Machines.Servers.Where(s => s == server || names.Contains(s.HostName)).Select(s => $"{s.HostName}=https://{s.Address}:2380");
        // The unit says "new" and names all servers, which is true of a cluster's first start only; once the member has data, etcd reads neither.
        return cluster.SshTo(server).RunAsync(
            "etcd",
            $$"""
            set -eu
            systemctl stop etcd
            rm -rf /var/lib/etcd/member
            mkdir -p {{_dropIn}}
            { printf '[Service]\nExecStart=\n'; sed -n '/^ExecStart=/,/[^\\]$/p' /etc/systemd/system/etcd.service \
                | sed -e 's/--initial-cluster-state new/--initial-cluster-state existing/' -e 's#--initial-cluster [^ ]*#--initial-cluster {{string.Join(',', members)}}#'; } >{{_dropIn}}/join.conf
            systemctl daemon-reload
            systemctl start --no-block etcd
            """,
            cancellation);
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

    private static Machine Witness(ClusterModel cluster, Machine server)
        => cluster.Machines.Servers.FirstOrDefault(s => s != server) ?? throw new ComponentException($"{server} is the only server: its etcd cannot go");
}
