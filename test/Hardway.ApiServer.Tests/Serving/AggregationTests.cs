using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Tests.Serving;

/// <summary>A server behind an APIService: requests go through with who asks, discovery has it, streams and upgrades pass.</summary>
public sealed class AggregationTests(RunningServer server) : IClassFixture<RunningServer>
{
    [Fact]
    public async Task Requests_for_another_servers_group_go_to_it_with_the_user_in_headers()
    {
        await using var backend = await TlsBackend.StartAsync(HandleAsync, "things.default.svc");
        // Without its Service it cannot be there yet.
        Assert.Equal(503, (await MakeAsync(backend)).Code);
        // Endpoints may not be on the loopback; a name may lead there.
        Assert.Equal(201, (await server.SendAsync("POST", "/api/v1/namespaces/default/services", """{"metadata":{"name":"things"},"spec":{"type":"ExternalName","externalName":"localhost"}}""")).Code);
        await UntilAvailableAsync();

        Assert.Equal("Local", RunningServer.At((await server.SendAsync("GET", "/apis/apiregistration.k8s.io/v1/apiservices/v1.")).Body, "status", "conditions", "0", "reason"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/apis/things.test/v1/namespaces/default/things?x=1");
        request.Headers.TryAddWithoutValidation("X-Remote-User", "forged");
        using var answer = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal("/apis/things.test/v1/namespaces/default/things?x=1 as system:anonymous", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        using var impersonating = new HttpRequestMessage(HttpMethod.Get, "/apis/things.test/v1/groups");
        impersonating.Headers.TryAddWithoutValidation("Impersonate-User", "u");
        impersonating.Headers.TryAddWithoutValidation("Impersonate-Group", "a,b");
        using var named = await server.Client.SendAsync(impersonating, TestContext.Current.CancellationToken);
        Assert.Equal("a,b;system:authenticated", await named.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        var (_, groups) = await server.SendAsync("GET", "/apis");
        Assert.Equal("things.test", RunningServer.At(((List<object?>)groups["groups"]!)[^1], "name"));

        using var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        await socket.ConnectAsync(new Uri(server.Client.BaseAddress!.ToString().Replace("https", "wss", StringComparison.Ordinal) + "apis/things.test/v1/socket"), TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.ASCII.GetBytes("hello"), WebSocketMessageType.Text, true, TestContext.Current.CancellationToken);
        var buffer = new byte[64];
        var received = await socket.ReceiveAsync(buffer.AsMemory(), TestContext.Current.CancellationToken);
        Assert.Equal("hello", Encoding.ASCII.GetString(buffer, 0, received.Count));

        await server.SendAsync("DELETE", "/apis/apiregistration.k8s.io/v1/apiservices/v1.things.test");
        // A read of the newest state waits until the cache has it.
        await server.SendAsync("GET", "/apis/apiregistration.k8s.io/v1/apiservices/v1.things.test");
        Assert.Equal(404, (int)(await server.Client.GetAsync("/apis/things.test/v1/things", TestContext.Current.CancellationToken)).StatusCode);
    }

    private static async Task HandleAsync(HttpContext http)
    {
        if (http.WebSockets.IsWebSocketRequest)
        {
            using var socket = await http.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[64];
            var received = await socket.ReceiveAsync(buffer.AsMemory(), http.RequestAborted);
            await socket.SendAsync(buffer.AsMemory(0, received.Count), WebSocketMessageType.Text, true, http.RequestAborted);
            return;
        }

        await http.Response.WriteAsync(http.Request.Path == "/apis/things.test/v1"
            ? """{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"things.test/v1","resources":[{"name":"things","singularName":"thing","namespaced":true,"kind":"Thing","verbs":["get"]}]}"""
            : http.Request.Path.StartsWithSegments("/openapi") ? "{}"
            : http.Request.Path.Value!.EndsWith("/groups", StringComparison.Ordinal) ? string.Join(";", http.Request.Headers["X-Remote-Group"].ToArray())
            : $"{http.Request.Path}{http.Request.QueryString} as {string.Join(",", http.Request.Headers["X-Remote-User"].ToArray())}");
    }

    private async Task<(int Code, string Text)> MakeAsync(TlsBackend backend)
    {
        var (code, _) = await server.SendAsync("POST", "/apis/apiregistration.k8s.io/v1/apiservices",
            $$$"""{"metadata":{"name":"v1.things.test"},"spec":{"group":"things.test","version":"v1","groupPriorityMinimum":100,"versionPriority":10,"service":{"namespace":"default","name":"things","port":{{{backend.Port}}}},"caBundle":"{{{backend.Bundle}}}"}}""");
        Assert.Equal(201, code);
        await server.SendAsync("GET", "/apis/apiregistration.k8s.io/v1/apiservices/v1.things.test");
        using var answer = await server.Client.GetAsync("/apis/things.test/v1/things", TestContext.Current.CancellationToken);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>A watch tells when the condition comes.</summary>
    private async Task UntilAvailableAsync()
    {
        await using var stream = await server.Client.GetStreamAsync("/apis/apiregistration.k8s.io/v1/apiservices?watch=1&timeoutSeconds=60&fieldSelector=metadata.name%3Dv1.things.test", TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        var last = "nothing";
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            last = line;
            if (line.Contains("\"reason\":\"Passed\"", StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail("the APIService did not become available; last seen: " + last);
    }
}
