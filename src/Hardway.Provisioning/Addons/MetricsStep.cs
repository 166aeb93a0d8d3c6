using Hardway.Provisioning.Api;
using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Addons;

/// <summary>The Metrics API, for kubectl top and the autoscaler: done when its Pod is available, which it is once a kubelet has answered it.</summary>
internal sealed class MetricsStep(ClusterModel cluster) : ManifestsStep(
    cluster,
    "metrics-api",
    "A metrics-server asks the kubelets what nodes and Pods use; the API servers hand metrics.k8s.io on to it",
    () => MetricsManifests.Of(Read(cluster.Files.Certificate(ClusterCertificates.MetricsServer)), Read(cluster.Files.Key(ClusterCertificates.MetricsServer)), Read(cluster.Files.Certificate(ClusterCertificates.Authority))),
    "kubelet-access")
{
    public override string Expected => "a Pod of metrics-server is available";

    public override Task<string> VerifyAsync(StepContext context, CancellationToken cancellation) => context.WaitAsync(
        "the Metrics API",
        async token =>
        {
            using var api = new ApiConnection(Cluster);
            var deployment = await api.GetAsync("/apis/apps/v1/namespaces/kube-system/deployments/metrics-server", token).ConfigureAwait(false);
            return (int?)deployment?["status"]?["availableReplicas"] > 0 ? null : "no Pod of metrics-server is available";
        },
        TimeSpan.FromSeconds(90),
        async token =>
        {
            using var api = new ApiConnection(Cluster);
            return await PodCauses.OfAsync(api, "kube-system", "k8s-app=metrics-server", token).ConfigureAwait(false);
        },
        cancellation);

    /// <summary>Explaining a plan comes before there are files.</summary>
    private static string Read(string file) => File.Exists(file) ? File.ReadAllText(file) : "";
}
