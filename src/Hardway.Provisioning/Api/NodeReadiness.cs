using System.Text.Json.Nodes;

namespace Hardway.Provisioning.Api;

internal static class NodeReadiness
{
    /// <summary>Null when the node is Ready; else what its Ready condition says.</summary>
    public static async Task<string?> OfAsync(ApiConnection api, string name, CancellationToken cancellation)
    {
        try
        {
            var node = await api.GetAsync($"/api/v1/nodes/{name}", cancellation).ConfigureAwait(false);
            if (node is null)
            {
                return "the node is not registered yet";
            }

            var ready = Condition(node, "Ready");
            return (string?)ready?["status"] == "True" ? null : $"{(string?)ready?["reason"] ?? "no Ready condition yet"}: {(string?)ready?["message"]}";
        }
        catch (Hosting.ComponentException e)
        {
            return e.Message;
        }
    }

    public static JsonNode? Condition(JsonNode node, string type)
        => (node["status"]?["conditions"] as JsonArray)?.FirstOrDefault(c => (string?)c?["type"] == type);
}
