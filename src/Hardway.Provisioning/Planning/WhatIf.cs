using Hardway.Hosting;
using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Planning;

/// <summary>What is left after a loss, and what goes on.</summary>
public sealed record WhatIfLine(string Lost, bool Writes, bool Reached, string Etcd, string Api, string Work);

/// <summary>
/// "What if I lose X, then Y": answered from who is a member and who answers now, before anything is done. What is down already counts as lost. Pure but for
/// <see cref="AskAsync"/>.
/// </summary>
internal static class WhatIf
{
    /// <summary>The cluster as it is now: etcd's voting members, and those that answer.</summary>
    internal sealed record Membership(IReadOnlyList<string> Members, IReadOnlyList<string> Alive);

    public static async Task<IReadOnlyList<WhatIfLine>> AskAsync(ClusterModel cluster, IReadOnlyList<string> losses, CancellationToken cancellation)
    {
        var etcd = await EtcdStatus.ReadAsync(cluster, cancellation).ConfigureAwait(false);
        var voters = etcd.Members.Values.Except(etcd.Learners).Order().ToList();
        return Answer(cluster.Machines, new Membership(voters, [.. etcd.Statuses.Where(s => s.Problem is null).Select(s => s.Machine.HostName)]), losses);
    }

    public static IReadOnlyList<WhatIfLine> Answer(MachineDatabase machines, Membership now, IReadOnlyList<string> losses)
    {
        var lost = new HashSet<string>(now.Members.Except(now.Alive));
        var lines = new List<WhatIfLine> { Line(machines, now, lost, lost.Count == 0 ? "now" : $"now ({string.Join(", ", lost)} down)") };
        foreach (var loss in losses)
        {
            var machine = machines.Find(loss) ?? throw new ComponentException($"there is no machine '{loss}'; there are {string.Join(", ", machines.Machines)}");
            lost.Add(machine.HostName);
            lines.Add(Line(machines, now, lost, machine.HostName));
        }

        return lines;
    }

    private static WhatIfLine Line(MachineDatabase machines, Membership now, HashSet<string> lost, string title)
    {
        var alive = now.Members.Count(m => !lost.Contains(m));
        var majority = (now.Members.Count / 2) + 1;
        var quorum = alive >= majority;
        var servers = machines.Servers.Where(s => !lost.Contains(s.HostName)).ToList();
        var reached = servers.Count > 0 && (machines.LoadBalancer is null || !lost.Contains(machines.LoadBalancer.HostName));
        var nodes = machines.Nodes.Where(n => !lost.Contains(n.HostName)).ToList();
        return new WhatIfLine(
            title,
            quorum && servers.Count > 0,
            reached,
            quorum
                ? $"{alive} of {now.Members.Count} members, {majority} are needed: writes go on, {alive - majority} more may be lost"
                : $"{alive} of {now.Members.Count} members, {majority} are needed: EVERY WRITE STOPS until {majority - alive} come back",
            !reached ? servers.Count == 0 ? "no API server is left" : $"{machines.LoadBalancer} is lost: users and kubelets have no way in; controllers go on beside their API servers"
                : quorum ? $"{servers.Count} API servers behind {machines.Endpoint}" : "API servers give old answers to reads that allow it, and refuse the rest",
            nodes.Count == 0 ? "no node is left: nothing runs"
                : nodes.Count == machines.Nodes.Count ? quorum ? "all nodes run their Pods" : "Pods run on as they are; nothing is scheduled, replaced or updated"
                : quorum && reached ? $"Pods of the lost nodes come back on {string.Join(", ", nodes)}, about six minutes later" : $"{string.Join(", ", nodes)} run on; nothing is moved there");
    }
}
