namespace Hardway.ApiServer.Tests.Serving;

/// <summary>The whole way of a request, over HTTPS, to a real store and back.</summary>
public sealed class ServerTests(RunningServer server) : IClassFixture<RunningServer>
{
    private const string ConfigMaps = "/api/v1/namespaces/default/configmaps";

    [Fact]
    public async Task A_fresh_server_has_its_namespaces_and_the_kubernetes_service()
    {
        var (code, list) = await server.SendAsync("GET", "/api/v1/namespaces");
        Assert.Equal(200, code);
        Assert.Equal(4, ((List<object?>)list["items"]!).Count);
        var (_, service) = await server.SendAsync("GET", "/api/v1/namespaces/default/services/kubernetes");
        Assert.Equal("10.32.0.1", RunningServer.At(service, "spec", "clusterIP"));
        var (_, slice) = await server.SendAsync("GET", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes");
        Assert.Equal("10.240.0.70", RunningServer.At(slice, "endpoints", "0", "addresses", "0"));
    }

    [Fact]
    public async Task An_update_of_an_old_version_is_a_conflict_and_one_that_changes_nothing_is_not_written()
    {
        var (created, first) = await server.SendAsync("POST", ConfigMaps, """{"metadata":{"name":"versions"},"data":{"a":"1"}}""");
        Assert.Equal(201, created);
        var version = (string)RunningServer.At(first, "metadata", "resourceVersion")!;
        var (_, same) = await server.SendAsync("PATCH", ConfigMaps + "/versions", """{"data":{"a":"1"}}""", "application/merge-patch+json");
        Assert.Equal(version, RunningServer.At(same, "metadata", "resourceVersion"));
        var (changed, _) = await server.SendAsync("PATCH", ConfigMaps + "/versions", """{"data":{"a":"2"}}""", "application/merge-patch+json");
        Assert.Equal(200, changed);
        var (code, status) = await server.SendAsync("PUT", ConfigMaps + "/versions", $$$"""{"metadata":{"name":"versions","resourceVersion":"{{{version}}}"},"data":{"a":"3"}}""");
        Assert.Equal((409, "Conflict"), (code, status["reason"]));
    }

    [Fact]
    public async Task Pages_of_a_list_show_one_revision()
    {
        for (var i = 0; i < 5; i++)
        {
            await server.SendAsync("POST", ConfigMaps, "{\"metadata\":{\"labels\":{\"test\":\"pages\"},\"name\":\"page-" + i + "\"}}");
        }

        var (_, first) = await server.SendAsync("GET", ConfigMaps + "?limit=2&labelSelector=test%3Dpages");
        await server.SendAsync("DELETE", ConfigMaps + "/page-4");
        var token = Uri.EscapeDataString((string)RunningServer.At(first, "metadata", "continue")!);
        var (code, rest) = await server.SendAsync("GET", ConfigMaps + $"?limit=10&labelSelector=test%3Dpages&continue={token}");
        Assert.Equal(200, code);
        Assert.Equal(3, ((List<object?>)rest["items"]!).Count);
        Assert.Equal(RunningServer.At(first, "metadata", "resourceVersion"), RunningServer.At(rest, "metadata", "resourceVersion"));
    }

    [Theory]
    [InlineData("watch=1&resourceVersion=abc")]
    [InlineData("watch=1&resourceVersion=-1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan")]
    public async Task A_watch_from_what_is_no_version_is_the_clients_fault(string query)
    {
        var (code, status) = await server.SendAsync("GET", ConfigMaps + "?" + query);
        Assert.Equal((400, "BadRequest"), (code, status["reason"]));
    }

    [Fact]
    public async Task A_watch_sees_what_happens_after_the_list()
    {
        var (_, list) = await server.SendAsync("GET", ConfigMaps);
        var version = RunningServer.At(list, "metadata", "resourceVersion");
        await server.SendAsync("POST", ConfigMaps, """{"metadata":{"name":"watched","labels":{"test":"watch"}}}""");
        await server.SendAsync("PATCH", ConfigMaps + "/watched", """{"metadata":{"labels":{"test":null}}}""", "application/merge-patch+json");
        await using var stream = await server.Client.GetStreamAsync($"{ConfigMaps}?watch=1&resourceVersion={version}&labelSelector=test%3Dwatch", TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        Assert.StartsWith("""{"type":"ADDED","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"watched",""", await reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.StartsWith("""{"type":"DELETED",""", await reader.ReadLineAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_finalizer_holds_a_deleted_object_until_it_is_taken_away()
    {
        await server.SendAsync("POST", ConfigMaps, """{"metadata":{"name":"held","finalizers":["example.test/hold"]}}""");
        var (_, marked) = await server.SendAsync("DELETE", ConfigMaps + "/held");
        Assert.NotNull(RunningServer.At(marked, "metadata", "deletionTimestamp"));
        await server.SendAsync("PATCH", ConfigMaps + "/held", """{"metadata":{"finalizers":null}}""", "application/merge-patch+json");
        var (code, _) = await server.SendAsync("GET", ConfigMaps + "/held");
        Assert.Equal(404, code);
    }

    [Fact]
    public async Task An_apply_that_would_take_anothers_field_is_a_conflict_that_names_it()
    {
        const string Body = """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"applied"},"data":{"a":"VALUE"}}""";
        await server.SendAsync("PATCH", ConfigMaps + "/applied?fieldManager=one", Body, "application/apply-patch+yaml");
        var (code, status) = await server.SendAsync("PATCH", ConfigMaps + "/applied?fieldManager=two", Body.Replace("VALUE", "other", StringComparison.Ordinal), "application/apply-patch+yaml");
        Assert.Equal(409, code);
        Assert.Equal(".data.a", RunningServer.At(status, "details", "causes", "0", "field"));
    }

    [Fact]
    public async Task Services_get_addresses_and_ports_of_their_own_and_give_them_back()
    {
        const string Services = "/api/v1/namespaces/default/services";
        var (code, one) = await server.SendAsync("POST", Services, """{"metadata":{"name":"one"},"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":30001}]}}""");
        Assert.Equal(201, code);
        var address = (string)RunningServer.At(one, "spec", "clusterIP")!;
        Assert.StartsWith("10.32.0.", address, StringComparison.Ordinal);
        var (taken, status) = await server.SendAsync("POST", Services, $$$"""{"metadata":{"name":"two"},"spec":{"clusterIP":"{{{address}}}","ports":[{"port":80}]}}""");
        Assert.Equal((422, "spec.clusterIPs"), (taken, RunningServer.At(status, "details", "causes", "0", "field")));
        await server.SendAsync("DELETE", Services + "/one");
        var (free, _) = await server.SendAsync("POST", Services, $$$"""{"metadata":{"name":"two"},"spec":{"type":"NodePort","clusterIP":"{{{address}}}","ports":[{"port":80,"nodePort":30001}]}}""");
        Assert.Equal(201, free);
    }

    [Fact]
    public async Task Bodies_that_are_not_right_are_told_so()
    {
        Assert.Equal(400, (await server.SendAsync("POST", ConfigMaps, "{")).Code);
        Assert.Equal(415, (await server.SendAsync("POST", ConfigMaps, "x", "text/plain")).Code);
        Assert.Equal(422, (await server.SendAsync("POST", ConfigMaps, """{"metadata":{"name":"Not_A_Name"}}""")).Code);
        Assert.Equal(400, (await server.SendAsync("POST", ConfigMaps + "?fieldValidation=Strict", """{"metadata":{"name":"x"},"frob":1}""")).Code);
        Assert.Equal(413, (await server.SendAsync("POST", ConfigMaps, new string('x', 4 * 1024 * 1024))).Code);
        // No API server stands behind such a group: it is a page that is not there.
        using var nothing = await server.Client.GetAsync("/apis/nothing.example.test/v1/frobs", TestContext.Current.CancellationToken);
        Assert.Equal((404, "404 page not found\n"), ((int)nothing.StatusCode, await nothing.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task A_definition_makes_a_custom_kind_served_pruned_defaulted_and_checked()
    {
        const string Definition = """
            {"metadata":{"name":"widgets.example.test"},"spec":{"group":"example.test","scope":"Namespaced","names":{"plural":"widgets","kind":"Widget"},
            "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object",
            "properties":{"size":{"type":"integer","minimum":1},"color":{"type":"string","default":"red"}}}}}}}]}}
            """;
        await using var watch = await server.Client.GetStreamAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions?watch=1", TestContext.Current.CancellationToken);
        Assert.Equal(201, (await server.SendAsync("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", Definition)).Code);
        using var events = new StreamReader(watch);
        while (!(await events.ReadLineAsync(TestContext.Current.CancellationToken))!.Contains("\"type\":\"Established\",\"status\":\"True\"", StringComparison.Ordinal))
        {
            // Until it is established.
        }

        const string Widgets = "/apis/example.test/v1/namespaces/default/widgets";
        (int Code, Dictionary<string, object?> Body) made;
        do
        {
            made = await server.SendAsync("POST", Widgets, """{"apiVersion":"example.test/v1","kind":"Widget","metadata":{"name":"w"},"spec":{"size":3,"frob":true}}""");
        }
        while (made.Code == 404);
        Assert.Equal(201, made.Code);
        Assert.Equal("red", RunningServer.At(made.Body, "spec", "color"));
        Assert.Null(RunningServer.At(made.Body, "spec", "frob"));
        var (code, status) = await server.SendAsync("PATCH", Widgets + "/w", """{"spec":{"size":0}}""", "application/merge-patch+json");
        Assert.Equal((422, "spec.size"), (code, RunningServer.At(status, "details", "causes", "0", "field")));
    }
}
