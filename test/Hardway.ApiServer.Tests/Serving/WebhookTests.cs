using System.Collections.Concurrent;
using System.Text;
using Hardway.Api;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Tests.Serving;

/// <summary>Admission webhooks as real HTTPS servers: what they are asked, and what their answers do.</summary>
public sealed class WebhookTests(RunningServer server) : IClassFixture<RunningServer>
{
    private const string ConfigMaps = "/api/v1/namespaces/default/configmaps";
    private const string Mutating = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
    private const string Validating = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

    [Fact]
    public async Task A_mutating_webhook_changes_an_object_and_one_before_it_is_asked_again()
    {
        var asked = new ConcurrentQueue<string>();
        await using var webhook = await TlsBackend.StartAsync(http => AnswerAsync(http, request =>
        {
            var path = http.Request.Path.Value!;
            asked.Enqueue(path);
            var labels = RunningServer.At(request, "object", "metadata", "labels") as Dictionary<string, object?> ?? [];
            var patch = labels.ContainsKey(path[1..]) ? "[]" : $$"""[{"op":"add","path":"/metadata/labels/{{path[1..]}}","value":"yes"}]""";
            return (true, new() { ["patchType"] = "JSONPatch", ["patch"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(patch)), ["warnings"] = new List<object?> { "from " + path } });
        }));
        await ConfigureAsync(Mutating, "again", Hook("first", webhook, ",\"reinvocationPolicy\":\"IfNeeded\"") + "," + Hook("second", webhook, ""));
        var (code, made) = await server.SendAsync("POST", ConfigMaps, """{"metadata":{"name":"again","labels":{"hooks":"again"}}}""");
        Assert.Equal(201, code);
        Assert.Equal(("yes", "yes"), (RunningServer.At(made, "metadata", "labels", "first"), RunningServer.At(made, "metadata", "labels", "second")));
        Assert.Equal(["/first", "/second", "/first"], asked);
        await server.SendAsync("DELETE", Mutating + "/again");
    }

    [Fact]
    public async Task A_validating_webhook_refuses_with_its_own_status_and_a_broken_one_by_its_failure_policy()
    {
        await using var webhook = await TlsBackend.StartAsync(http => http.Request.Path == "/broken"
            ? http.Response.WriteAsync("nonsense")
            : AnswerAsync(http, _ => (false, new() { ["status"] = new Dictionary<string, object?> { ["code"] = 418L, ["message"] = "no tea" } })));
        await ConfigureAsync(Validating, "refuses", Hook("refuses", webhook, ""));
        var (code, status) = await server.SendAsync("POST", ConfigMaps, """{"metadata":{"name":"r","labels":{"hooks":"refuses"}}}""");
        Assert.Equal(418, code);
        Assert.Contains("no tea", (string)status["message"]!, StringComparison.Ordinal);
        await ConfigureAsync(Validating, "broken", Hook("broken", webhook, ""));
        Assert.Equal((500, "InternalError"), await RefusedAsync("broken"));
        await ConfigureAsync(Validating, "ignored", Hook("broken", webhook, ",\"failurePolicy\":\"Ignore\""));
        Assert.Equal(201, (await server.SendAsync("POST", ConfigMaps, """{"metadata":{"name":"i","labels":{"hooks":"ignored"}}}""")).Code);
        foreach (var name in new[] { "refuses", "broken", "ignored" })
        {
            await server.SendAsync("DELETE", Validating + "/" + name);
        }
    }

    private async Task<(int, object?)> RefusedAsync(string label)
    {
        var (code, status) = await server.SendAsync("POST", ConfigMaps, $$$$"""{"metadata":{"name":"{{{{label}}}}","labels":{"hooks":"{{{{label}}}}"}}}""");
        return (code, status["reason"]);
    }

    private async Task ConfigureAsync(string path, string name, string webhooks)
    {
        var body = "{\"metadata\":{\"name\":\"" + name + "\"},\"webhooks\":[" + webhooks.Replace("SELECT", name, StringComparison.Ordinal) + "]}";
        var (code, answer) = await server.SendAsync("POST", path, body);
        Assert.True(code == 201, Encoding.UTF8.GetString(ApiJson.SerializeTree(answer)));
        // A read of the newest state waits until the cache has it, and admission reads the cache.
        await server.SendAsync("GET", path + "/" + name);
    }

    private static string Hook(string path, TlsBackend webhook, string more) => $$$"""
        {"name":"{{{path}}}.example.test","sideEffects":"None","admissionReviewVersions":["v1"],"clientConfig":{"url":"{{{webhook.Url}}}/{{{path}}}","caBundle":"{{{webhook.Bundle}}}"},
         "objectSelector":{"matchLabels":{"hooks":"SELECT"}},"rules":[{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"]}]{{{more}}}}
        """;

    private static async Task AnswerAsync(HttpContext http, Func<Dictionary<string, object?>, (bool Allowed, Dictionary<string, object?> More)> decide)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        var review = (Dictionary<string, object?>)ApiJson.DeserializeTree(body.ToArray())!;
        var request = (Dictionary<string, object?>)review["request"]!;
        var (allowed, response) = decide(request);
        response["uid"] = request["uid"];
        response["allowed"] = allowed;
        await http.Response.Body.WriteAsync(ApiJson.SerializeTree(new Dictionary<string, object?> { ["kind"] = "AdmissionReview", ["apiVersion"] = "admission.k8s.io/v1", ["response"] = response }), http.RequestAborted);
    }
}
