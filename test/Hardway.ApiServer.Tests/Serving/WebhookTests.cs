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

    [Fact]
    public async Task A_webhook_for_one_version_sees_writes_in_the_others_in_its_own()
    {
        var seen = new ConcurrentQueue<string>();
        await using var webhook = await TlsBackend.StartAsync(http => AnswerAsync(http, request =>
        {
            seen.Enqueue($"{RunningServer.At(request, "kind", "version")} for {RunningServer.At(request, "requestKind", "version")} {RunningServer.At(request, "resource", "version")} {RunningServer.At(request, "object", "apiVersion")} {RunningServer.At(request, "object", "spec", "targetCPUUtilizationPercentage")}");
            return (true, new() { ["patchType"] = "JSONPatch", ["patch"] = Convert.ToBase64String("""[{"op":"replace","path":"/spec/targetCPUUtilizationPercentage","value":75}]"""u8) });
        }));
        const string Rule = "\"rules\":[{\"operations\":[\"CREATE\"],\"apiGroups\":[\"autoscaling\"],\"apiVersions\":[\"v1\"],\"resources\":[\"horizontalpodautoscalers\"]}]";
        const string Spec = """{"maxReplicas":3,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"d"},"metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}}]}""";
        const string Scalers = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
        await ConfigureAsync(Mutating, "equivalent", Hook("equivalent", webhook, "").Replace("\"rules\":[{\"operations\":[\"CREATE\"],\"apiGroups\":[\"\"],\"apiVersions\":[\"v1\"],\"resources\":[\"configmaps\"]}]", Rule, StringComparison.Ordinal));
        var (code, made) = await server.SendAsync("POST", Scalers, $$$"""{"metadata":{"name":"a","labels":{"hooks":"equivalent"}},"spec":{{{Spec}}}}""");
        Assert.Equal((201, 75L), (code, RunningServer.At(made, "spec", "metrics", "0", "resource", "target", "averageUtilization")));
        Assert.Equal(["v1 for v2 v1 autoscaling/v1 50"], seen);
        (code, made) = await server.SendAsync("POST", Scalers.Replace("v2", "v1", StringComparison.Ordinal), """{"metadata":{"name":"b","labels":{"hooks":"equivalent"}},"spec":{"maxReplicas":3,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"d"},"targetCPUUtilizationPercentage":20}}""");
        Assert.Equal((201, 75L), (code, RunningServer.At(made, "spec", "targetCPUUtilizationPercentage")));
        Assert.Equal("v1 for v1 v1 autoscaling/v1 20", seen.Last());
        await server.SendAsync("PATCH", Mutating + "/equivalent", """[{"op":"add","path":"/webhooks/0/matchPolicy","value":"Exact"}]""", "application/json-patch+json");
        await server.SendAsync("GET", Mutating + "/equivalent");
        Assert.Equal(201, (await server.SendAsync("POST", Scalers, $$$"""{"metadata":{"name":"c","labels":{"hooks":"equivalent"}},"spec":{{{Spec}}}}""")).Code);
        Assert.Equal(2, seen.Count);
        await server.SendAsync("DELETE", Mutating + "/equivalent");
    }

    [Fact]
    public async Task What_a_webhook_adds_gets_defaults_and_the_built_in_plugins_see_it()
    {
        await server.SendAsync("POST", "/api/v1/namespaces", """{"metadata":{"name":"injected"}}""");
        await server.SendAsync("POST", "/api/v1/namespaces/injected/serviceaccounts", """{"metadata":{"name":"default"}}""");
        await server.SendAsync("POST", "/api/v1/namespaces/injected/limitranges", """{"metadata":{"name":"l"},"spec":{"limits":[{"type":"Container","defaultRequest":{"cpu":"10m"}}]}}""");
        await server.SendAsync("GET", "/api/v1/namespaces/injected/limitranges/l");
        await using var webhook = await TlsBackend.StartAsync(http => AnswerAsync(http, _ => (true, new() { ["patch"] = Convert.ToBase64String("""[{"op":"add","path":"/spec/containers/-","value":{"name":"sidecar","image":"proxy:latest"}}]"""u8) })));
        await ConfigureAsync(Mutating, "inject", Hook("inject", webhook, "").Replace("configmaps", "pods", StringComparison.Ordinal).Replace("[\"v1\"],\"clientConfig\"", "[\"v1beta1\",\"v1\"],\"clientConfig\"", StringComparison.Ordinal));
        var (code, pod) = await server.SendAsync("POST", "/api/v1/namespaces/injected/pods", """{"metadata":{"name":"p","labels":{"hooks":"inject"}},"spec":{"containers":[{"name":"c","image":"i:1"}]}}""");
        Assert.True(code == 201, Encoding.UTF8.GetString(ApiJson.SerializeTree(pod)));
        var sidecar = RunningServer.At(pod, "spec", "containers", "1");
        Assert.Equal(("Always", "File", "10m"), (RunningServer.At(sidecar, "imagePullPolicy"), RunningServer.At(sidecar, "terminationMessagePolicy"), RunningServer.At(sidecar, "resources", "requests", "cpu")));
        Assert.Equal("/var/run/secrets/kubernetes.io/serviceaccount", RunningServer.At(sidecar, "volumeMounts", "0", "mountPath"));
        Assert.Single((List<object?>)RunningServer.At(pod, "spec", "volumes")!);
        await server.SendAsync("DELETE", Mutating + "/inject");
    }

    [Fact]
    public async Task A_webhook_sees_custom_objects_in_the_version_that_it_knows()
    {
        const string Schema = """{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}}}}""";
        await server.SendAsync("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", $$$"""
            {"metadata":{"name":"hooked.versions.test"},"spec":{"group":"versions.test","scope":"Namespaced","names":{"plural":"hooked","kind":"Hooked"},
             "versions":[{"name":"v1","served":true,"storage":true,"schema":{{{Schema}}}},{"name":"v2","served":true,"storage":false,"schema":{{{Schema}}}}]}}
            """);
        var seen = new ConcurrentQueue<string>();
        await using var webhook = await TlsBackend.StartAsync(http => AnswerAsync(http, request =>
        {
            seen.Enqueue($"{RunningServer.At(request, "kind", "version")} {RunningServer.At(request, "object", "apiVersion")}");
            return (true, new() { ["patchType"] = "JSONPatch", ["patch"] = Convert.ToBase64String("""[{"op":"add","path":"/spec/b","value":"hook"}]"""u8) });
        }));
        await ConfigureAsync(Mutating, "custom", Hook("custom", webhook, "").Replace("[\"\"]", "[\"versions.test\"]", StringComparison.Ordinal).Replace("configmaps", "hooked", StringComparison.Ordinal));
        var limit = TimeProvider.System.GetTimestamp();
        while ((await server.Client.GetAsync("/apis/versions.test/v2/hooked", TestContext.Current.CancellationToken)).StatusCode != System.Net.HttpStatusCode.OK)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(limit).TotalSeconds < 20, "the definition is not served after 20 s");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        var (code, made) = await server.SendAsync("POST", "/apis/versions.test/v2/namespaces/default/hooked", """{"apiVersion":"versions.test/v2","kind":"Hooked","metadata":{"name":"x","labels":{"hooks":"custom"}},"spec":{"a":"user"}}""");
        Assert.Equal((201, "versions.test/v2", "user", "hook"), (code, RunningServer.At(made, "apiVersion"), RunningServer.At(made, "spec", "a"), RunningServer.At(made, "spec", "b")));
        Assert.Equal(["v1 versions.test/v1"], seen);
        await server.SendAsync("DELETE", Mutating + "/custom");
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
        await http.Response.Body.WriteAsync(ApiJson.SerializeTree(new Dictionary<string, object?> { ["kind"] = "AdmissionReview", ["apiVersion"] = review["apiVersion"], ["response"] = response }), http.RequestAborted);
    }
}
