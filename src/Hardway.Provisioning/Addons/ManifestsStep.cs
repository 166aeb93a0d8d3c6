using System.Text.Json.Nodes;
using Hardway.Provisioning.Api;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Addons;

/// <summary>Objects in the cluster: created when missing, replaced when they say something else than the manifest.</summary>
internal class ManifestsStep(ClusterModel cluster, string name, string explain, Func<IReadOnlyList<Manifest>> manifests, params IReadOnlyList<string> dependsOn)
    : Step(name, "", dependsOn)
{
    public override string Explain => $"{explain} ({string.Join(", ", manifests().Select(m => m.Title))})";

    public override string Expected => "the API gives the objects back as they were written";

    public override IReadOnlyList<StepItem> Contents => [.. manifests().Select(m => new StepItem("object", m.Title, m.Path))];

    protected ClusterModel Cluster => cluster;

    public override async Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation)
    {
        using var api = new ApiConnection(cluster);
        var all = new List<(Manifest Manifest, JsonNode? Found, string? Difference)>();
        foreach (var manifest in manifests())
        {
            var found = await api.GetAsync(manifest.Path, cancellation).ConfigureAwait(false);
            all.Add((manifest, found, JsonSubset.Difference(found, manifest.Body)));
        }

        var different = all.Where(f => f.Found is null || f.Difference is not null)
            .Select(f => new StepItem("object", f.Manifest.Title, f.Found is null ? "created" : $"replaced: {f.Difference} differs")).ToList();
        return different.Count == 0 ? StepCheck.Good : StepCheck.Missing(string.Join(", ", different.Select(d => d.Name)), different);
    }

    public override async Task<string> VerifyAsync(StepContext context, CancellationToken cancellation)
    {
        using var api = new ApiConnection(cluster);
        foreach (var manifest in manifests())
        {
            if (JsonSubset.Difference(await api.GetAsync(manifest.Path, cancellation).ConfigureAwait(false), manifest.Body) is { } path)
            {
                throw new Hosting.ComponentException($"{manifest.Title}: the API does not give back {path} as written");
            }
        }

        return $"{manifests().Count} objects are there";
    }

    /// <summary>The load balancer may cut a connection while API servers come up: each object is looked at again before it is written again.</summary>
    public override Task ApplyAsync(StepContext context, CancellationToken cancellation) => context.WaitAsync(
        Name,
        async token =>
        {
            using var api = new ApiConnection(cluster);
            foreach (var manifest in manifests())
            {
                await WriteAsync(api, manifest, token).ConfigureAwait(false);
            }

            return null;
        },
        TimeSpan.FromSeconds(30),
        null,
        cancellation);

    private async Task WriteAsync(ApiConnection api, Manifest manifest, CancellationToken cancellation)
    {
        var found = await api.GetAsync(manifest.Path, cancellation).ConfigureAwait(false);
        if (found is null)
        {
            await api.PostAsync(manifest.Collection, manifest.Body, cancellation).ConfigureAwait(false);
            cluster.Transcript.Note(Name, "cluster", $"created {manifest.Title}");
        }
        else if (JsonSubset.Difference(found, manifest.Body) is { } difference)
        {
            await api.PutAsync(manifest.Path, Merge(found.DeepClone(), manifest.Body), cancellation).ConfigureAwait(false);
            cluster.Transcript.Note(Name, "cluster", $"replaced {manifest.Title}: {difference} differed");
        }
    }

    private static JsonNode Merge(JsonNode found, JsonNode wanted)
    {
        if (found is not JsonObject target || wanted is not JsonObject source)
        {
            return wanted.DeepClone();
        }

        foreach (var (key, value) in source)
        {
            target[key] = target[key] is { } old && value is not null ? Merge(old.DeepClone(), value) : value?.DeepClone();
        }

        return target;
    }
}

/// <summary>
/// Cluster DNS: created as soon as the API answers, so that controllers, scheduler and kubelets find it waiting; done when as many Pods as wanted are
/// available.
/// </summary>
internal sealed class DnsStep(ClusterModel cluster) : ManifestsStep(
    cluster,
    "cluster-dns",
    $"Pods ask {ClusterAddresses.DnsService} for names of Services; {Replicas(cluster)} Pods of cluster DNS on different nodes answer",
    () => Manifests.Dns(Replicas(cluster)),
    "kubelet-access")
{
    private const string _pods = "/api/v1/namespaces/kube-system/pods";

    public override string Expected => $"{Replicas(Cluster)} Pods of cluster DNS are available, on different nodes";

    /// <summary>
    /// A preference to spread is looked at when a Pod is scheduled: where only one node had registered by then, both Pods are on it. Then one of them is made anew
    /// once the other nodes are there.
    /// </summary>
    public override async Task<string> VerifyAsync(StepContext context, CancellationToken cancellation)
    {
        using var api = new ApiConnection(Cluster);
        string? moved = null;
        return await context.WaitAsync(
            "cluster DNS",
            async token =>
            {
                var (ready, places) = await LookAsync(api, moved, token).ConfigureAwait(false);
                if (ready.Count < Replicas(Cluster))
                {
                    return $"{ready.Count} of {Replicas(Cluster)} Pods ready";
                }

                if (places.Count >= Replicas(Cluster))
                {
                    return null;
                }

                if (moved is null && await AllNodesReadyAsync(api, token).ConfigureAwait(false))
                {
                    moved = (string)ready[0]["metadata"]!["name"]!;
                    await api.DeleteAsync($"{_pods}/{moved}", token).ConfigureAwait(false);
                }

                return $"all Pods are on {places[0]}";
            },
            TimeSpan.FromSeconds(90),
            token => PodCauses.OfAsync(api, "kube-system", "k8s-app=kube-dns", token),
            cancellation).ConfigureAwait(false);
    }

    private static async Task<(List<JsonNode> Ready, List<string?> Places)> LookAsync(ApiConnection api, string? moved, CancellationToken cancellation)
    {
        var list = await api.GetAsync(_pods + "?labelSelector=k8s-app%3Dkube-dns", cancellation).ConfigureAwait(false);
        List<JsonNode> ready = [.. (list?["items"] as JsonArray ?? []).OfType<JsonNode>()
            .Where(p => PodCauses.IsReady(p) && p["metadata"]?["deletionTimestamp"] is null && (string?)p["metadata"]?["name"] != moved)];
        return (ready, [.. ready.Select(p => (string?)p["spec"]?["nodeName"]).Distinct()]);
    }

    private async Task<bool> AllNodesReadyAsync(ApiConnection api, CancellationToken cancellation)
    {
        foreach (var node in Cluster.Machines.Nodes)
        {
            if (await NodeReadiness.OfAsync(api, node.HostName, cancellation).ConfigureAwait(false) is not null)
            {
                return false;
            }
        }

        return true;
    }

    private static int Replicas(ClusterModel cluster) => Math.Min(2, cluster.Machines.Nodes.Count);
}
