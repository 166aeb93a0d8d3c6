using System.Text.Json.Nodes;

namespace Hardway.Provisioning.Api;

/// <summary>Why Pods are not ready: their conditions, their containers' states, and the last event about each; one line.</summary>
internal static class PodCauses
{
    public static async Task<string> OfAsync(ApiConnection api, string ns, string selector, CancellationToken cancellation)
    {
        try
        {
            var list = await api.GetAsync($"/api/v1/namespaces/{ns}/pods?labelSelector={Uri.EscapeDataString(selector)}", cancellation).ConfigureAwait(false);
            var pods = list?["items"] as JsonArray ?? [];
            if (pods.Count == 0)
            {
                return "no Pod was made: look at the controller manager's log";
            }

            var events = await api.GetAsync($"/api/v1/namespaces/{ns}/events", cancellation).ConfigureAwait(false);
            return string.Join("; ", pods.OfType<JsonNode>().Where(p => !IsReady(p)).Take(3).Select(p => Describe(p, events?["items"] as JsonArray ?? [])));
        }
        catch (Hosting.ComponentException e)
        {
            return e.Message;
        }
    }

    public static bool IsReady(JsonNode pod) => (string?)NodeReadiness.Condition(pod, "Ready")?["status"] == "True";

    private static string Describe(JsonNode pod, JsonArray events)
    {
        var name = (string?)pod["metadata"]?["name"];
        var node = (string?)pod["spec"]?["nodeName"];
        if (node is null)
        {
            return $"Pod {name} is not scheduled: {(string?)NodeReadiness.Condition(pod, "PodScheduled")?["message"] ?? "the scheduler has not seen it"}";
        }

        var waiting = (pod["status"]?["containerStatuses"] as JsonArray ?? [])
            .Select(c => c?["state"]?["waiting"] ?? c?["state"]?["terminated"]).FirstOrDefault(s => s is not null);
        var last = events.LastOrDefault(e => (string?)e?["involvedObject"]?["name"] == name && (string?)e?["type"] == "Warning");
        return $"Pod {name} on {node} is {(string?)pod["status"]?["phase"]}"
            + (waiting is null ? "" : $", {(string?)waiting["reason"]} {(string?)waiting["message"]}")
            + (last is null ? "" : $", event: {(string?)last["message"]}");
    }
}
