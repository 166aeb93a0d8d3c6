namespace Hardway.ApiServer.Tests.Serving;

/// <summary>Kinds of storage, devices and flow control through the real server: defaults, checks, what an update may change.</summary>
public sealed class IdentityKindsTests(RunningServer server) : IClassFixture<RunningServer>
{
    [Fact]
    public async Task A_flow_schema_says_whether_its_level_exists()
    {
        const string path = "/apis/flowcontrol.apiserver.k8s.io/v1/";
        var (code, made) = await server.SendAsync("POST", path + "flowschemas", """{"metadata":{"name":"mine"},"spec":{"priorityLevelConfiguration":{"name":"later"},"rules":[{"subjects":[{"kind":"User","user":{"name":"x"}}],"nonResourceRules":[{"verbs":["*"],"nonResourceURLs":["*"]}]}]}}""");
        Assert.Equal(201, code);
        Assert.Equal(1000L, RunningServer.At(made, "spec", "matchingPrecedence"));
        await ConditionAsync("True", "NotFound");
        (code, _) = await server.SendAsync("POST", path + "prioritylevelconfigurations", """{"metadata":{"name":"later"},"spec":{"type":"Limited","limited":{"limitResponse":{"type":"Reject"}}}}""");
        Assert.Equal(201, code);
        await ConditionAsync("False", "Found");

        async Task ConditionAsync(string status, string reason)
        {
            await using var stream = await server.Client.GetStreamAsync(path + "flowschemas?watch=1&fieldSelector=metadata.name%3Dmine", TestContext.Current.CancellationToken);
            using var reader = new StreamReader(stream);
            while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && !(line.Contains($"\"status\":\"{status}\"", StringComparison.Ordinal) && line.Contains($"\"reason\":\"{reason}\"", StringComparison.Ordinal)))
            {
                // Until the condition is there.
            }
        }
    }

    [Fact]
    public async Task Answers_say_which_flow_schema_and_level_they_went_through()
    {
        using var answer = await server.Client.GetAsync("/api/v1/namespaces/default", TestContext.Current.CancellationToken);
        var (_, schema) = await server.SendAsync("GET", "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/global-default");
        Assert.Equal(RunningServer.At(schema, "metadata", "uid"), Assert.Single(answer.Headers.GetValues("X-Kubernetes-PF-FlowSchema-UID")));
        using var missing = await server.Client.GetAsync("/api/v1/namespaces/none", TestContext.Current.CancellationToken);
        Assert.Equal(404, (int)missing.StatusCode);
        Assert.Single(missing.Headers.GetValues("Audit-Id"));
        Assert.Single(missing.Headers.GetValues("X-Kubernetes-PF-PriorityLevel-UID"));
    }

    [Theory]
    [InlineData("/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations", """{"metadata":{"name":"x"},"spec":{"type":"Exempt"}}""", "spec.type")]
    [InlineData("/apis/storage.k8s.io/v1/volumeattachments", """{"metadata":{"name":"x"},"spec":{"attacher":"d","nodeName":"n","source":{}}}""", "spec.source")]
    [InlineData("/apis/storage.k8s.io/v1/csidrivers", """{"metadata":{"name":"x"},"spec":{"volumeLifecycleModes":["Frob"]}}""", "spec.volumeLifecycleModes")]
    [InlineData("/apis/resource.k8s.io/v1/deviceclasses", """{"metadata":{"name":"x"},"spec":{"selectors":[{"cel":{"expression":"1"}}]}}""", "spec.selectors[0].cel.expression")]
    [InlineData("/apis/resource.k8s.io/v1/resourceslices", """{"metadata":{"name":"x"},"spec":{"driver":"d","pool":{"name":"p","resourceSliceCount":1},"nodeName":"n","allNodes":true}}""", "spec")]
    [InlineData("/apis/resource.k8s.io/v1/namespaces/default/resourceclaims", """{"metadata":{"name":"x"},"spec":{"devices":{"requests":[{"name":"r","exactly":{"deviceClassName":"c","allocationMode":"All","count":2}}]}}}""", "spec.devices.requests[0].exactly.count")]
    public async Task What_is_wrong_is_named_by_its_field(string path, string body, string field)
    {
        var (code, status) = await server.SendAsync("POST", path, body);
        Assert.Equal(422, code);
        Assert.Equal(field, RunningServer.At(status, "details", "causes", "0", "field"));
    }

    [Fact]
    public async Task Metrics_have_upstreams_names()
    {
        await server.SendAsync("POST", "/api/v1/namespaces/default/configmaps?dryRun=All", """{"metadata":{"name":"m"}}""");
        var text = await server.Client.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        Assert.Contains("""apiserver_request_total{verb="CREATE",dry_run="All",group="",version="v1",resource="configmaps",subresource="",scope="resource",component="apiserver",code="201"} 1""", text, StringComparison.Ordinal);
        Assert.Contains("apiserver_storage_objects{resource=\"namespaces\"} 4", text, StringComparison.Ordinal);
        Assert.Contains("apiserver_flowcontrol_current_limit_seats{priority_level=\"global-default\"}", text, StringComparison.Ordinal);
        Assert.Contains("etcd_request_duration_seconds_count{operation=\"create\",type=\"namespaces\"} 4", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_review_names_who_wrote_it_and_an_unknown_path_is_plain_text()
    {
        var (code, review) = await server.SendAsync("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?fieldManager=me", """{"spec":{"nonResourceAttributes":{"path":"/x","verb":"get"}}}""");
        Assert.Equal(201, code);
        Assert.Equal("me", RunningServer.At(review, "metadata", "managedFields", "0", "manager"));
        using var answer = await server.Client.GetAsync("/no/such/path", TestContext.Current.CancellationToken);
        Assert.Equal((404, "text/plain"), ((int)answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
    }
}
