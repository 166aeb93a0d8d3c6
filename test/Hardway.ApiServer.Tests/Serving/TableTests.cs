using System.Text.Json;

namespace Hardway.ApiServer.Tests.Serving;

/// <summary>Tables as kubectl asks for them, of every kind that the server lists.</summary>
public sealed class TableTests(RunningServer server) : IClassFixture<RunningServer>
{
    [Fact]
    public async Task Every_column_of_every_kind_says_what_it_means()
    {
        var undescribed = new List<string>();
        var columns = 0;
        foreach (var path in await ListsAsync())
        {
            using var table = await GetAsync(path);
            foreach (var column in table.RootElement.GetProperty("columnDefinitions").EnumerateArray())
            {
                columns++;
                if (column.GetProperty("description").GetString() is null or "")
                {
                    undescribed.Add($"{path}: {column.GetProperty("name").GetString()}");
                }
            }
        }

        Assert.True(columns > 200, $"{columns} columns");
        // Upstream says nothing of it.
        Assert.Equal(["/apis/node.k8s.io/v1/runtimeclasses: Handler"], undescribed);
    }

    [Fact]
    public async Task A_row_hides_the_annotation_that_stands_for_a_field()
    {
        const string Spec = """{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}""";
        var (code, made) = await server.SendAsync("POST", "/apis/apps/v1/namespaces/default/daemonsets", $$$"""{"metadata":{"name":"hides","annotations":{"x":"y"}},"spec":{{{Spec}}}}""");
        Assert.Equal(201, code);
        Assert.Equal("1", RunningServer.At(made, "metadata", "annotations", "deprecated.daemonset.template.generation"));
        using var table = await GetAsync("/apis/apps/v1/namespaces/default/daemonsets/hides");
        Assert.Equal("""{"x":"y"}""", table.RootElement.GetProperty("rows")[0].GetProperty("object").GetProperty("metadata").GetProperty("annotations").GetRawText());
    }

    [Fact]
    public async Task An_ingress_shows_its_addresses_once_and_in_order()
    {
        await server.SendAsync("POST", "/apis/networking.k8s.io/v1/namespaces/default/ingresses", """{"metadata":{"name":"points"},"spec":{"defaultBackend":{"service":{"name":"s","port":{"number":80}}}}}""");
        await server.SendAsync("PATCH", "/apis/networking.k8s.io/v1/namespaces/default/ingresses/points/status", """{"status":{"loadBalancer":{"ingress":[{"hostname":"lb.test"},{"ip":"192.0.2.9"},{"ip":"192.0.2.1"},{"hostname":"lb.test"}]}}}""", "application/merge-patch+json");
        using var table = await GetAsync("/apis/networking.k8s.io/v1/namespaces/default/ingresses/points");
        Assert.Equal("192.0.2.1,192.0.2.9,lb.test", table.RootElement.GetProperty("rows")[0].GetProperty("cells")[3].GetString());
    }

    private async Task<List<string>> ListsAsync()
    {
        var roots = new List<string> { "/api/v1" };
        using (var groups = await GetAsync("/apis"))
        {
            roots.AddRange(groups.RootElement.GetProperty("groups").EnumerateArray().SelectMany(g => g.GetProperty("versions").EnumerateArray()).Select(v => "/apis/" + v.GetProperty("groupVersion").GetString()));
        }

        var lists = new List<string>();
        foreach (var root in roots)
        {
            using var resources = await GetAsync(root);
            lists.AddRange(resources.RootElement.GetProperty("resources").EnumerateArray()
                .Where(r => r.GetProperty("verbs").EnumerateArray().Any(v => v.GetString() == "list"))
                .Select(r => $"{root}/{r.GetProperty("name").GetString()}"));
        }

        return lists;
    }

    private async Task<JsonDocument> GetAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
        using var answer = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode}");
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
