using System.Net;
using System.Net.Sockets;
using System.Text;
using Hardway.ApiServer.Aggregation;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Tests.Serving;

/// <summary>What goes over the wire to an aggregated server, byte for byte: a server here reads the request as it is.</summary>
public sealed class RepeatedHeadersTests
{
    [Fact]
    public async Task Each_group_and_each_value_of_an_extra_is_a_line_of_its_own()
    {
        var user = new UserInfo("jörg")
        {
            Groups = ["one", "a,system:masters", "two\r\nX-Remote-Group: system:masters", "lone\uD800surrogate"],
            Extra = new Dictionary<string, IReadOnlyList<string>> { ["scopes.test/a"] = ["x", "y,z"] },
        };
        Assert.Equal(
            [
                "X-Remote-User: jörg",
                "X-Remote-Group: one",
                "X-Remote-Group: a,system:masters",
                "X-Remote-Group: two  X-Remote-Group: system:masters",
                "X-Remote-Group: lone surrogate",
                "X-Remote-Extra-scopes.test%2Fa: x",
                "X-Remote-Extra-scopes.test%2Fa: y,z",
            ],
            (await SendAsync(user)).Where(l => l.StartsWith("X-Remote-", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Many_groups_pass_through_the_handler_s_buffer()
    {
        var groups = Enumerable.Range(0, 2000).Select(i => $"group-{i},{new string('x', i % 50)}").ToList();
        Assert.Equal(groups.Select(g => "X-Remote-Group: " + g), (await SendAsync(new UserInfo("u") { Groups = groups })).Where(l => l.StartsWith("X-Remote-Group", StringComparison.Ordinal)));
    }

    private static async Task<List<string>> SendAsync(UserInfo user)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var read = ReadHeadAsync(listener);
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler { RequestHeaderEncodingSelector = RepeatedHeaders.Select });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{listener.LocalEndpoint}/x");
        foreach (var header in AggregationProxy.Identity(user).GroupBy(h => h.Key, h => h.Value)) request.Headers.TryAddWithoutValidation(header.Key, RepeatedHeaders.Join(header));
        using var answer = await invoker.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        return await read;
    }

    private static async Task<List<string>> ReadHeadAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var lines = new List<string>();
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { Length: > 0 } line) lines.Add(line);
        await stream.WriteAsync("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        return lines;
    }
}
