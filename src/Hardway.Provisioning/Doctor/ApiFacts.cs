using System.Text.Json.Nodes;
using Hardway.Hosting;
using Hardway.Provisioning.Api;

namespace Hardway.Provisioning.Doctor;

/// <summary>What the API says, asked through the load balancer; <see cref="Problem"/> when it does not answer (then nothing else is known).</summary>
internal sealed record ApiFacts(string? Problem, IReadOnlyList<JsonNode> Nodes, IReadOnlyList<JsonNode> DnsPods, JsonNode? DnsService, JsonNode? KubeletRole, JsonNode? KubeletBinding)
{
    public static async Task<ApiFacts> ReadAsync(ClusterModel cluster, CancellationToken cancellation)
    {
        using var api = new ApiConnection(cluster);
        try
        {
            var nodes = ItemsAsync("/api/v1/nodes");
            var pods = ItemsAsync("/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns");
            var service = api.GetAsync("/api/v1/namespaces/kube-system/services/kube-dns", cancellation);
            var role = api.GetAsync("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:kube-apiserver-to-kubelet", cancellation);
            var binding = api.GetAsync("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:kube-apiserver", cancellation);
            return new ApiFacts(
                null, await nodes.ConfigureAwait(false), await pods.ConfigureAwait(false), await service.ConfigureAwait(false), await role.ConfigureAwait(false), await binding.ConfigureAwait(false));
        }
        catch (ComponentException e)
        {
            return new ApiFacts(e.Message, [], [], null, null, null);
        }

        async Task<IReadOnlyList<JsonNode>> ItemsAsync(string path)
            => [.. ((await api.GetAsync(path, cancellation).ConfigureAwait(false))?["items"] as JsonArray ?? []).OfType<JsonNode>()];
    }
}
