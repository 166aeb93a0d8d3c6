using System.Text.Json.Nodes;
using Hardway.Provisioning.Api;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Addons;

/// <summary>Objects in the cluster: created when missing, replaced when they say something else than the manifest.</summary>
internal class ManifestsStep(ClusterModel cluster, string name, string explain, Func<IReadOnlyList<Manifest>> manifests, params IReadOnlyList<string> dependsOn)
    : Step(name, "", dependsOn)
{
    private List<(Manifest Manifest, JsonNode? Found, string? Difference)> _found = [];

    public override string Explain => $"{explain} ({string.Join(", ", manifests().Select(m => m.Title))})";

    public override string Expected => "the API gives the objects back as they were written";

    public override IReadOnlyList<StepItem> Contents => [.. manifests().Select(m => new StepItem("object", m.Title, m.Path))];

    protected ClusterModel Cluster => cluster;

    public override async Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation)
    {
        using var api = new ApiConnection(cluster);
        _found = [];
        foreach (var manifest in manifests())
        {
            var found = await api.GetAsync(manifest.Path, cancellation).ConfigureAwait(false);
            _found.Add((manifest, found, JsonSubset.Difference(found, manifest.Body)));
        }

        var different = _found.Where(f => f.Found is null || f.Difference is not null)
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

    public override async Task ApplyAsync(StepContext context, CancellationToken cancellation)
    {
        using var api = new ApiConnection(cluster);
        foreach (var (manifest, found, difference) in _found)
        {
            if (found is null)
            {
                await api.PostAsync(manifest.Collection, manifest.Body, cancellation).ConfigureAwait(false);
                cluster.Transcript.Note(Name, "cluster", $"created {manifest.Title}");
            }
            else if (difference is not null)
            {
                await api.PutAsync(manifest.Path, Merge(found.DeepClone(), manifest.Body), cancellation).ConfigureAwait(false);
                cluster.Transcript.Note(Name, "cluster", $"replaced {manifest.Title}: {difference} differed");
            }
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
    public override string Expected => $"{Replicas(Cluster)} Pods of cluster DNS are available";

    public override Task<string> VerifyAsync(StepContext context, CancellationToken cancellation) => context.WaitAsync(
        "cluster DNS",
        async token =>
        {
            using var api = new ApiConnection(Cluster);
            var deployment = await api.GetAsync("/apis/apps/v1/namespaces/kube-system/deployments/cluster-dns", token).ConfigureAwait(false);
            var available = (int?)deployment?["status"]?["availableReplicas"] ?? 0;
            var wanted = Replicas(Cluster);
            return available >= wanted ? null : $"{available} of {wanted} Pods available";
        },
        TimeSpan.FromSeconds(90),
        async token =>
        {
            using var api = new ApiConnection(Cluster);
            return await PodCauses.OfAsync(api, "kube-system", "k8s-app=kube-dns", token).ConfigureAwait(false);
        },
        cancellation);

    private static int Replicas(ClusterModel cluster) => Math.Min(2, cluster.Machines.Nodes.Count);
}
