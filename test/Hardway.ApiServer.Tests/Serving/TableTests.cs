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
        Assert.Empty(undescribed);
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
