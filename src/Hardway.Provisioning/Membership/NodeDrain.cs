using System.Text.Json.Nodes;
using Hardway.Hosting;
using Hardway.Provisioning.Api;
using Hardway.Provisioning.Faults;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Membership;

/// <summary>
/// Empties a node: closes it for new Pods, asks for the eviction of each of its Pods (a PodDisruptionBudget may say: not yet), and waits until they are gone. Pods of
/// daemon sets and of the node itself stay; they end with it.
/// </summary>
internal static class NodeDrain
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(10);

    /// <param name="api">The administrator's.</param>
    /// <param name="node">Its name.</param>
    /// <param name="force">Whether Pods that nobody makes anew may be lost.</param>
    /// <param name="context">Told how many are left.</param>
    /// <param name="cancellation">Ends it; the node stays closed.</param>
    public static async Task<string> RunAsync(ApiConnection api, string node, bool force, StepContext context, CancellationToken cancellation)
    {
        if (await api.GetAsync($"/api/v1/nodes/{node}", cancellation).ConfigureAwait(false) is null)
        {
            return "it is no node of the API";
        }

        var first = await PodsAsync(api, node, cancellation).ConfigureAwait(false);
        if (!force && first.Where(IsAlone).Select(Title).ToList() is { Count: > 0 } alone)
        {
            throw new ComponentException($"nobody makes these Pods of {node} anew, they would be lost: {string.Join(", ", alone)}; delete them, or say --force");
        }

        await NodeObject.CordonAsync(api, node, closed: true, cancellation).ConfigureAwait(false);
        await context.WaitAsync(
            $"the Pods of {node} to leave",
            async token =>
            {
                var left = await PodsAsync(api, node, token).ConfigureAwait(false);
                var refusals = new List<string>();
                foreach (var pod in left.Where(p => p["metadata"]?["deletionTimestamp"] is null))
                {
                    if (await EvictAsync(api, pod, token).ConfigureAwait(false) is { } refusal)
                    {
                        refusals.Add($"{Title(pod)}: {refusal}");
                    }
                }

                return left.Count == 0 ? null
                    : $"{first.Count - left.Count} of {first.Count} Pods have left{(refusals.Count > 0 ? $"; refused: {string.Join("; ", refusals.Take(3))}" : $"; {string.Join(", ", left.Take(3).Select(Title))} are ending")}";
            },
            _limit,
            null,
            cancellation).ConfigureAwait(false);
        return $"{first.Count} Pods have left {node}";
    }

    /// <summary>Whether an eviction has to wait for this Pod: not for one that has ended, nor for one that belongs to every node or to the node itself.</summary>
    internal static bool Leaves(JsonNode pod) => (string?)pod["status"]?["phase"] is not ("Succeeded" or "Failed")
        && pod["metadata"]?["annotations"]?["kubernetes.io/config.mirror"] is null
        && Owner(pod) != "DaemonSet";

    /// <summary>Whether nobody makes it anew.</summary>
    internal static bool IsAlone(JsonNode pod) => Owner(pod) is null;

    private static string? Owner(JsonNode pod)
        => (string?)(pod["metadata"]?["ownerReferences"] as JsonArray ?? []).FirstOrDefault(o => (bool?)o?["controller"] == true)?["kind"];

    private static string Title(JsonNode pod) => $"{(string?)pod["metadata"]?["namespace"]}/{(string?)pod["metadata"]?["name"]}";

    private static async Task<List<JsonNode>> PodsAsync(ApiConnection api, string node, CancellationToken cancellation)
    {
        var list = await api.GetAsync($"/api/v1/pods?fieldSelector=spec.nodeName%3D{node}", cancellation).ConfigureAwait(false);
        return [.. (list?["items"] as JsonArray ?? []).OfType<JsonNode>().Where(Leaves)];
    }

    /// <summary>Null when the Pod goes or is gone; else why it does not go now.</summary>
    private static async Task<string?> EvictAsync(ApiConnection api, JsonNode pod, CancellationToken cancellation)
    {
        var (ns, name) = ((string)pod["metadata"]!["namespace"]!, (string)pod["metadata"]!["name"]!);
        var eviction = new JsonObject
        {
            ["apiVersion"] = "policy/v1",
            ["kind"] = "Eviction",
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns },
        };
        try
        {
            await api.PostAsync($"/api/v1/namespaces/{ns}/pods/{name}/eviction", eviction, cancellation).ConfigureAwait(false);
            return null;
        }
        catch (ComponentException e)
        {
            // 429 is a budget that has to recover; not found is gone already.
            return e.Message.EndsWith(": not found", StringComparison.Ordinal) ? null : e.Message;
        }
    }
}
