using Hardway.Api.Coordination.V1;
using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.Lab.CommandLine;

/// <summary>One thing that was looked at.</summary>
internal sealed record StatusFact(string Subject, bool Good, string Seen);

/// <summary>A node by its own word.</summary>
internal sealed record NodeStatusLine(string Name, bool Ready, string Message);

/// <summary>What `status` found: machines as the host sees them, and the cluster as its API tells it.</summary>
internal sealed record ClusterStatus(IReadOnlyList<MachineStatus> Machines, IReadOnlyList<NodeStatusLine> Nodes, IReadOnlyList<StatusFact> Facts)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public bool Good => Machines.All(m => m.State == MachineState.Running) && Nodes.All(n => n.Ready) && Facts.All(f => f.Good);

    public static async Task<ClusterStatus> LookAsync(JumpboxSession session, CancellationToken cancellation)
    {
        var machines = await session.Lab().StatusAsync(cancellation);
        // Machines that exist without the lab are told by SSH alone.
        if (!File.Exists(session.Paths.AdminKubeconfig)) return new ClusterStatus(machines, [], [new StatusFact("cluster", false, "there is none; hardway up makes it")]);
        using var client = new KubeClient(KubeConfig.Load(session.Paths.AdminKubeconfig), "hardway", session.Time);
        var nodes = NodesAsync(client, cancellation);
        var facts = await Task.WhenAll(
            FactAsync("API", async t => { await client.RequestAsync(HttpMethod.Get, "/readyz", null, null, t); return "ready"; }, cancellation),
            FactAsync("Lease kube-controller-manager", t => HolderAsync(client, "kube-controller-manager", t), cancellation),
            FactAsync("Lease kube-scheduler", t => HolderAsync(client, "kube-scheduler", t), cancellation));
        return new ClusterStatus(machines, await nodes, facts);
    }

    private static async Task<string> HolderAsync(KubeClient client, string name, CancellationToken cancellation)
    {
        var lease = await client.GetAsync<Lease>("kube-system", name, cancellation);
        return lease.Spec.HolderIdentity is { Length: > 0 } holder ? "held by " + holder : throw new InvalidOperationException("nobody holds it");
    }

    private static async Task<IReadOnlyList<NodeStatusLine>> NodesAsync(KubeClient client, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Patience);
        try
        {
            var nodes = await client.ListAsync<Node>(null, null, limit.Token);
            return [.. nodes.Items.Select(Line)];
        }
        catch (Exception e) when (IsExpected(e) && !cancellation.IsCancellationRequested)
        {
            return []; // the fact "API" says why
        }
    }

    private static NodeStatusLine Line(Node node)
    {
        var ready = node.Status.Conditions?.FirstOrDefault(c => c.Type == "Ready");
        return new NodeStatusLine(node.Metadata.Name, ready?.Status == "True", ready is null ? "no condition yet" : ready.Message);
    }

    private static async Task<StatusFact> FactAsync(string subject, Func<CancellationToken, Task<string>> look, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Patience);
        try
        {
            return new StatusFact(subject, true, await look(limit.Token));
        }
        catch (Exception e) when (IsExpected(e) && !cancellation.IsCancellationRequested)
        {
            return new StatusFact(subject, false, e is OperationCanceledException ? $"no answer after {Patience.TotalSeconds:0} s" : e.Message);
        }
    }

    private static bool IsExpected(Exception e) => e is HttpRequestException or ApiException or OperationCanceledException or IOException or InvalidOperationException;
}
