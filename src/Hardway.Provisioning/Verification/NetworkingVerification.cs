using System.Text;
using System.Text.Json.Nodes;
using Hardway.Hosting;
using Hardway.Provisioning.Api;
using Hardway.Provisioning.ControlPlane;

namespace Hardway.Provisioning.Verification;

/// <summary>Module 3 without a workload: the nodes by their own word, and what etcd has of a Secret.</summary>
internal sealed class NetworkingVerification(ClusterModel cluster, ApiConnection api, VerificationRun run)
{
    public Task RunAsync() => Task.WhenAll(
        run.LookAsync(Module.Networking, "nodes", $"{cluster.Machines.Nodes.Count} nodes are Ready", NodesAsync),
        run.LookAsync(Module.Networking, "Secret in etcd", "a new Secret is readable through the API, and not in etcd", SecretAsync));

    private async Task<Sight> NodesAsync(CancellationToken cancellation)
    {
        var seen = new List<string>();
        foreach (var node in cluster.Machines.Nodes)
        {
            if (await NodeReadiness.OfAsync(api, node.HostName, cancellation).ConfigureAwait(false) is { } problem)
            {
                throw new ComponentException($"{node}: {problem}");
            }

            var found = await api.GetAsync($"/api/v1/nodes/{node.HostName}", cancellation).ConfigureAwait(false);
            seen.Add($"{node} Ready ({(string?)found?["status"]?["nodeInfo"]?["kubeletVersion"]}, {(string?)found?["status"]?["nodeInfo"]?["containerRuntimeVersion"]})");
        }

        return string.Join(", ", seen);
    }

    private async Task<Sight> SecretAsync(CancellationToken cancellation)
    {
        const string Collection = "/api/v1/namespaces/default/secrets";
        var name = "hardway-verify-" + Guid.NewGuid().ToString("N")[..8];
        var marker = "plain-" + Guid.NewGuid().ToString("N");
        var body = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["stringData"] = new JsonObject { ["marker"] = marker },
        };
        await api.PostAsync(Collection, body, cancellation).ConfigureAwait(false);
        try
        {
            var key = Convert.ToBase64String(Encoding.UTF8.GetBytes($"/registry/secrets/default/{name}"));
            var range = await EtcdProbe.PostAsync(cluster, cluster.Machines.Servers[0], "/v3/kv/range", $$"""{"key":"{{key}}"}""", cancellation).ConfigureAwait(false);
            var stored = Convert.FromBase64String((string?)range["kvs"]?[0]?["value"] ?? throw new ComponentException($"etcd has no /registry/secrets/default/{name}"));
            var text = Encoding.Latin1.GetString(stored);
            var read = await api.GetAsync($"{Collection}/{name}", cancellation).ConfigureAwait(false);
            var back = Encoding.UTF8.GetString(Convert.FromBase64String((string?)read?["data"]?["marker"] ?? ""));
            if (text.Contains(marker, StringComparison.Ordinal) || !text.StartsWith("k8s:enc:", StringComparison.Ordinal))
            {
                throw new ComponentException($"the Secret is readable in etcd: its value begins with \"{Printable(text)}\"");
            }

            return back == marker
                ? $"{stored.Length} bytes that begin with \"{Printable(text)}\", unreadable there, readable through the API"
                : throw new ComponentException("the API does not give back what was stored in the Secret");
        }
        finally
        {
            await api.DeleteAsync($"{Collection}/{name}", CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static string Printable(string text) => string.Concat(text.TakeWhile(c => c is >= ' ' and <= '~').Take(32));
}
