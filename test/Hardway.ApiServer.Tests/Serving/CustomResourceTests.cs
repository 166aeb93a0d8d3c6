using System.Text;
using Hardway.Api;

namespace Hardway.ApiServer.Tests.Serving;

/// <summary>Definitions and their objects, on a real server; conversion by a real webhook.</summary>
public sealed class CustomResourceTests(RunningServer server) : IClassFixture<RunningServer>
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

    [Fact]
    public async Task An_object_of_one_version_is_read_in_the_other_and_stored_in_the_storage_version()
    {
        await DefineAsync("versions", """
            {"name":"v1","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"size":{"type":"integer"},"color":{"type":"string","default":"red"}}}}}}},
            {"name":"v2","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"size":{"type":"integer"}}}}}}}
            """);
        var (code, made) = await server.SendAsync("POST", "/apis/versions.test/v1/namespaces/default/things", """{"apiVersion":"versions.test/v1","kind":"Thing","metadata":{"name":"a"},"spec":{"size":3}}""");
        Assert.Equal(201, code);
        Assert.Equal(("versions.test/v1", "red"), (made["apiVersion"], RunningServer.At(made, "spec", "color")));
        var (_, other) = await server.SendAsync("GET", "/apis/versions.test/v2/namespaces/default/things/a");
        Assert.Equal(("versions.test/v2", 3L, null), (other["apiVersion"], RunningServer.At(other, "spec", "size"), RunningServer.At(other, "spec", "color")));
        var (_, list) = await server.SendAsync("GET", "/apis/versions.test/v1/things");
        Assert.Equal("versions.test/v1", RunningServer.At(list, "items", "0", "apiVersion"));
        await using var stream = await server.Client.GetStreamAsync("/apis/versions.test/v1/things?watch=1&timeoutSeconds=5", TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        Assert.Contains("\"apiVersion\":\"versions.test/v1\"", await reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_webhook_converts_between_versions_and_may_not_change_who_an_object_is()
    {
        await using var webhook = await TlsBackend.StartAsync(async http =>
        {
            var review = (Dictionary<string, object?>)ApiJson.DeserializeTree(await BodyAsync(http.Request))!;
            var request = (Dictionary<string, object?>)review["request"]!;
            var wanted = (string)request["desiredAPIVersion"]!;
            var converted = ((List<object?>)request["objects"]!).ConvertAll(o => (object?)Converted((Dictionary<string, object?>)o!, wanted));
            review["response"] = new Dictionary<string, object?> { ["uid"] = request["uid"], ["convertedObjects"] = converted, ["result"] = new Dictionary<string, object?> { ["status"] = "Success" } };
            review.Remove("request");
            await http.Response.Body.WriteAsync(ApiJson.SerializeTree(review), http.RequestAborted);
        });
        await DefineAsync("hooked", """
            {"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"full":{"type":"string"}}}}},
            {"name":"v2","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","properties":{"first":{"type":"string"},"last":{"type":"string"}}}}}
            """, $$$$"""{"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],"clientConfig":{"url":"{{{{webhook.Url}}}}/convert","caBundle":"{{{{webhook.Bundle}}}}"}}}""");
        var (code, made) = await server.SendAsync("POST", "/apis/hooked.test/v2/namespaces/default/things", """{"apiVersion":"hooked.test/v2","kind":"Thing","metadata":{"name":"a"},"first":"Ada","last":"Lovelace"}""");
        Assert.Equal(201, code);
        Assert.Equal("Ada", made["first"]);
        var (_, stored) = await server.SendAsync("GET", "/apis/hooked.test/v1/namespaces/default/things/a");
        Assert.Equal(("Ada Lovelace", null), (stored["full"], stored.GetValueOrDefault("first")));
        var (_, list) = await server.SendAsync("GET", "/apis/hooked.test/v2/things");
        Assert.Equal("Lovelace", RunningServer.At(list, "items", "0", "last"));
        await server.SendAsync("POST", "/apis/hooked.test/v1/namespaces/default/things", """{"apiVersion":"hooked.test/v1","kind":"Thing","metadata":{"name":"renamed"},"full":"Some Body"}""");
        var (failed, status) = await server.SendAsync("GET", "/apis/hooked.test/v2/namespaces/default/things/renamed");
        Assert.Equal((500, "InternalError"), (failed, status["reason"]));
    }

    [Fact]
    public async Task Rules_scale_selectable_fields_and_columns_work_together()
    {
        await DefineAsync("ruled", """
            {"name":"v1","served":true,"storage":true,"subresources":{"status":{},"scale":{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas"}},
             "selectableFields":[{"jsonPath":".spec.color"}],"additionalPrinterColumns":[{"name":"Color","type":"string","jsonPath":".spec.color"}],
             "schema":{"openAPIV3Schema":{"type":"object","properties":{
               "spec":{"type":"object","x-kubernetes-validations":[{"rule":"self.replicas <= 3","reason":"FieldValueForbidden","fieldPath":".replicas","messageExpression":"'at most 3, not ' + string(self.replicas)"},
                                                                    {"rule":"self.color == oldSelf.color","message":"color stays"}],
                 "properties":{"replicas":{"type":"integer"},"color":{"type":"string"}}},
               "status":{"type":"object","properties":{"replicas":{"type":"integer"}}}}}}}
            """);
        const string Things = "/apis/ruled.test/v1/namespaces/default/things";
        Assert.Equal(201, (await server.SendAsync("POST", Things, """{"apiVersion":"ruled.test/v1","kind":"Thing","metadata":{"name":"a"},"spec":{"replicas":1,"color":"red"}}""")).Code);
        await server.SendAsync("POST", Things, """{"apiVersion":"ruled.test/v1","kind":"Thing","metadata":{"name":"b"},"spec":{"replicas":1,"color":"blue"}}""");
        var (code, refused) = await server.SendAsync("PATCH", Things + "/a/scale", """{"spec":{"replicas":4}}""", "application/merge-patch+json");
        Assert.Equal((422, "FieldValueForbidden", "spec.replicas"), (code, RunningServer.At(refused, "details", "causes", "0", "reason"), RunningServer.At(refused, "details", "causes", "0", "field")));
        Assert.Contains("at most 3, not 4", (string)RunningServer.At(refused, "details", "causes", "0", "message")!, StringComparison.Ordinal);
        var (_, scaled) = await server.SendAsync("PATCH", Things + "/a/scale", """{"spec":{"replicas":2}}""", "application/merge-patch+json");
        Assert.Equal(2L, RunningServer.At(scaled, "spec", "replicas"));
        Assert.Equal(422, (await server.SendAsync("PATCH", Things + "/a", """{"spec":{"color":"blue"}}""", "application/merge-patch+json")).Code);
        var (_, list) = await server.SendAsync("GET", Things + "?fieldSelector=spec.color%3Dblue");
        Assert.Equal("b", RunningServer.At(Assert.Single((List<object?>)list["items"]!), "metadata", "name"));
        var (documented, document) = await server.SendAsync("GET", "/openapi/v3/apis/ruled.test/v1");
        Assert.Equal(200, documented);
        Assert.Equal("integer", RunningServer.At(document, "components", "schemas", "test.ruled.v1.Thing", "properties", "spec", "properties", "replicas", "type"));
    }

    [Fact]
    public async Task A_deleted_definition_takes_its_objects_with_it()
    {
        await DefineAsync("gone", """{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}""");
        await server.SendAsync("POST", "/apis/gone.test/v1/namespaces/default/things", """{"apiVersion":"gone.test/v1","kind":"Thing","metadata":{"name":"a"}}""");
        var (_, before) = await server.SendAsync("GET", Definitions);
        var version = RunningServer.At(before, "metadata", "resourceVersion");
        var (code, marked) = await server.SendAsync("DELETE", Definitions + "/things.gone.test");
        Assert.Equal(200, code);
        Assert.Equal("customresourcecleanup.apiextensions.k8s.io", RunningServer.At(marked, "metadata", "finalizers", "0"));
        await UntilAsync($"things.gone.test&resourceVersion={version}", line => line.StartsWith("{\"type\":\"DELETED\"", StringComparison.Ordinal));
        await DefineAsync("gone", """{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}""");
        var (_, list) = await server.SendAsync("GET", "/apis/gone.test/v1/things");
        Assert.Empty((List<object?>)list["items"]!);
    }

    private static Dictionary<string, object?> Converted(Dictionary<string, object?> value, string wanted)
    {
        var copy = new Dictionary<string, object?>(value) { ["apiVersion"] = wanted };
        if (copy.Remove("full", out var full) && full is string name)
        {
            (copy["first"], copy["last"]) = (name.Split(' ')[0], name.Split(' ')[1]);
        }
        else if (copy.Remove("first", out var first) && copy.Remove("last", out var last))
        {
            copy["full"] = $"{first} {last}";
        }

        if (RunningServer.At(copy, "metadata", "name") is "renamed")
        {
            copy["metadata"] = new Dictionary<string, object?>((Dictionary<string, object?>)copy["metadata"]!) { ["name"] = "another" };
        }

        return copy;
    }

    private static async Task<byte[]> BodyAsync(Microsoft.AspNetCore.Http.HttpRequest request)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        return body.ToArray();
    }

    private async Task DefineAsync(string group, string versions, string conversion = """{"strategy":"None"}""")
    {
        var (code, answer) = await server.SendAsync("POST", Definitions,
            "{\"metadata\":{\"name\":\"things." + group + ".test\"},\"spec\":{\"group\":\"" + group + ".test\",\"scope\":\"Namespaced\",\"names\":{\"plural\":\"things\",\"kind\":\"Thing\"},\"conversion\":" + conversion + ",\"versions\":[" + versions + "]}}");
        Assert.True(code == 201, Encoding.UTF8.GetString(ApiJson.SerializeTree(answer)));
        await UntilAsync($"things.{group}.test", line => line.Contains("\"type\":\"Established\",\"status\":\"True\"", StringComparison.Ordinal));
    }

    /// <summary>A watch tells when the server has done its part.</summary>
    private async Task UntilAsync(string definition, Func<string, bool> isSo)
    {
        await using var stream = await server.Client.GetStreamAsync(Definitions + "?watch=1&timeoutSeconds=60&fieldSelector=metadata.name%3D" + definition, TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (isSo(line))
            {
                return;
            }
        }

        Assert.Fail($"{definition} did not come to what was waited for");
    }
}
