using System.Text.Json.Nodes;
using Hardway.Provisioning.Api;
using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Faults;

internal sealed class DnsOnOneNode() : Fault("dns-on-one-node", "all Pods of cluster DNS are on one node")
{
    private const string _pods = "/api/v1/namespaces/kube-system/pods";

    public override string Lesson =>
        "Two Pods are no more than one when they fail together. A preference to spread is looked at when a Pod is scheduled and never again: when a node was away at that moment, both stay on the other one, "
        + "and with it every name in the cluster is lost.";

    public override IReadOnlyList<string> Hints => ["Everything works, for now.", "Which Pods does everything need?", "kubectl -n kube-system get pods -o wide"];

    public override string? Obstacle(MachineDatabase machines, bool sharedKernel) => machines.Nodes.Count < 2 ? "there is one node only" : null;

    public override IEnumerable<Diagnosis> Diagnose(Examination examination)
    {
        var pods = Live(examination.Api.DnsPods).ToList();
        var places = pods.Select(p => (string?)p["spec"]?["nodeName"]).Distinct().ToList();
        var takers = examination.Api.Nodes.Count(n => (bool?)n["spec"]?["unschedulable"] != true && (string?)NodeReadiness.Condition(n, "Ready")?["status"] == "True");
        if (pods.Count > 1 && places is [{ } place] && takers > 1)
        {
            yield return Found(
                examination.Machines.Find(place), $"{string.Join(" and ", pods.Select(p => (string?)p["metadata"]?["name"]))} are both on {place}",
                "hardway kubectl -n kube-system rollout restart deployment/cluster-dns");
        }
    }

    public override async Task PutInAsync(FaultContext context, CancellationToken cancellation)
    {
        var closed = context.Cluster.Machines.Nodes[^1].HostName;
        await NodeObject.CordonAsync(context.Api, closed, closed: true, cancellation).ConfigureAwait(false);
        try
        {
            await DeleteAsync(context, p => (string?)p["spec"]?["nodeName"] == closed, cancellation).ConfigureAwait(false);
            await WaitAsync(context, "DNS Pods to be on one node", places => places.Distinct().Count() == 1 && !places.Contains(null), cancellation).ConfigureAwait(false);
        }
        finally
        {
            await NodeObject.CordonAsync(context.Api, closed, closed: false, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>The scheduler prefers the empty node for whatever is made next.</summary>
    public override async Task TakeOutAsync(FaultContext context, CancellationToken cancellation)
    {
        var pods = Live(await PodsAsync(context, cancellation).ConfigureAwait(false)).ToList();
        if (pods.Count > 1 && pods.Select(p => (string?)p["spec"]?["nodeName"]).Distinct().Count() == 1)
        {
            await DeleteAsync(context, p => p["metadata"]!["name"]!.ToString() == pods[0]["metadata"]!["name"]!.ToString(), cancellation).ConfigureAwait(false);
        }

        await WaitAsync(context, "DNS Pods to be on two nodes", places => places.Distinct().Count() > 1 && !places.Contains(null), cancellation).ConfigureAwait(false);
    }

    private static IEnumerable<JsonNode> Live(IEnumerable<JsonNode> pods) => pods.Where(p => p["metadata"]?["deletionTimestamp"] is null);

    private static async Task<IReadOnlyList<JsonNode>> PodsAsync(FaultContext context, CancellationToken cancellation)
        => [.. ((await context.Api.GetAsync(_pods + "?labelSelector=k8s-app%3Dkube-dns", cancellation).ConfigureAwait(false))?["items"] as JsonArray ?? []).OfType<JsonNode>()];

    private static async Task DeleteAsync(FaultContext context, Func<JsonNode, bool> which, CancellationToken cancellation)
    {
        foreach (var pod in (await PodsAsync(context, cancellation).ConfigureAwait(false)).Where(which))
        {
            await context.Api.DeleteAsync($"{_pods}/{(string)pod["metadata"]!["name"]!}", cancellation).ConfigureAwait(false);
        }
    }

    private static Task WaitAsync(FaultContext context, string what, Func<List<string?>, bool> isSo, CancellationToken cancellation)
        => new StepContext(_ => { }, context.Cluster.Options.Time).WaitAsync(
            what,
            async token =>
            {
                var pods = Live(await PodsAsync(context, token).ConfigureAwait(false)).ToList();
                var places = pods.Select(p => (string?)p["spec"]?["nodeName"]).ToList();
                return pods.Count > 1 && isSo(places) && pods.All(PodCauses.IsReady) ? null : $"they are on {string.Join(", ", places.Select(p => p ?? "no node yet"))}";
            },
            TimeSpan.FromSeconds(60),
            token => PodCauses.OfAsync(context.Api, "kube-system", "k8s-app=kube-dns", token),
            cancellation);
}
