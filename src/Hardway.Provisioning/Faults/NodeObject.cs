using System.Text.Json.Nodes;
using Hardway.Hosting;
using Hardway.Provisioning.Api;

namespace Hardway.Provisioning.Faults;

/// <summary>Closes and opens a node for new Pods, as `kubectl cordon` does.</summary>
internal static class NodeObject
{
    public static async Task CordonAsync(ApiConnection api, string node, bool closed, CancellationToken cancellation)
    {
        var path = $"/api/v1/nodes/{node}";
        // The kubelet writes the same object: a lost race is tried again.
        for (var attempt = 0; ; attempt++)
        {
            var found = await api.GetAsync(path, cancellation).ConfigureAwait(false) ?? throw new ComponentException($"there is no node {node}");
            if (((bool?)found["spec"]?["unschedulable"] ?? false) == closed)
            {
                return;
            }

            if (closed)
            {
                (found["spec"] ??= new JsonObject())["unschedulable"] = true;
            }
            else
            {
                (found["spec"] as JsonObject)?.Remove("unschedulable");
            }

            try
            {
                await api.PutAsync(path, found, cancellation).ConfigureAwait(false);
                return;
            }
            catch (ComponentException e) when (attempt < 5 && e.Message.Contains(": 409:", StringComparison.Ordinal))
            {
                continue;
            }
        }
    }
}
