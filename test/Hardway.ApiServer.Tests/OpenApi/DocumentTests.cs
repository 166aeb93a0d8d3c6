using System.Text.Json.Nodes;
using Hardway.ApiServer.Tests.Serving;

namespace Hardway.ApiServer.Tests.OpenApi;

/// <summary>The documents as clients are generated from them.</summary>
public sealed class DocumentTests(RunningServer server) : IClassFixture<RunningServer>
{
    [Fact]
    public async Task Version_2_describes_a_shared_parameter_once_and_every_reference_leads_somewhere()
    {
        var document = JsonNode.Parse(await server.Client.GetStringAsync("/openapi/v2", TestContext.Current.CancellationToken))!;
        var missing = new HashSet<string>();
        var references = 0;
        Walk(document, reference =>
        {
            references++;
            if (reference[2..].Split('/').Aggregate(document, (at, part) => at?[part]!) is null)
            {
                missing.Add(reference);
            }
        });
        Assert.True(missing.Count == 0, string.Join("\n", missing));
        Assert.True(references > 4000, $"{references} references");
        var patch = document["paths"]!["/api/v1/namespaces/{namespace}/pods/{name}"]!["patch"]!["parameters"]!.AsArray();
        Assert.Equal(["#/parameters/body-78PwaGsr", "dryRun", "#/parameters/fieldManager-7c6nTn1T", "fieldValidation", "#/parameters/force-tOGGb0Yi"], patch.Select(p => (p!["$ref"] ?? p["name"])!.ToString()));
        var shared = document["parameters"]!["force-tOGGb0Yi"]!;
        Assert.Equal(("force", "query", "boolean"), (shared["name"]!.ToString(), shared["in"]!.ToString(), shared["type"]!.ToString()));
    }

    private static void Walk(JsonNode? node, Action<string> onReference)
    {
        if (node is JsonObject map)
        {
            if (map["$ref"] is JsonValue reference) onReference(reference.ToString());
            foreach (var (_, value) in map) Walk(value, onReference);
        }
        else if (node is JsonArray list)
        {
            foreach (var value in list) Walk(value, onReference);
        }
    }
}
