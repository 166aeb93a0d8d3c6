using System.Net.Http.Headers;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Api.Protobuf;

namespace Hardway.ApiServer.Tests.Serving;

/// <summary>What client-go's programs speak: protobuf both ways, over HTTPS.</summary>
public sealed class ProtobufServingTests(RunningServer server) : IClassFixture<RunningServer>
{
    private const string ConfigMaps = "/api/v1/namespaces/default/configmaps";

    [Fact]
    public async Task Objects_lists_and_errors_come_in_protobuf()
    {
        var made = await SendAsync(HttpMethod.Post, ConfigMaps, new ConfigMap { Metadata = { Name = "pb", Labels = new() { ["t"] = "pb" } }, Data = new() { ["k"] = "v" } });
        Assert.Equal(201, made.Code);
        Assert.Equal(ApiProtobuf.MediaType, made.Type);
        var value = (ConfigMap)ApiProtobuf.Deserialize(ConfigMap.TypeSchema, made.Body);
        Assert.Equal(("ConfigMap", "v"), (value.Kind, value.Data!["k"]));
        Assert.NotEmpty(value.Metadata.ResourceVersion);
        var read = await SendAsync(HttpMethod.Get, ConfigMaps + "/pb");
        Assert.Equal(value.ToString(), ApiProtobuf.Deserialize(ConfigMap.TypeSchema, read.Body).ToString());
        var list = (ConfigMapList)ApiProtobuf.Deserialize(ConfigMapList.TypeSchema, (await SendAsync(HttpMethod.Get, ConfigMaps + "?labelSelector=t%3Dpb")).Body);
        Assert.Equal("pb", Assert.Single(list.Items!).Metadata.Name);
        var missing = await SendAsync(HttpMethod.Get, ConfigMaps + "/none");
        Assert.Equal((404, "NotFound"), (missing.Code, ((Status)ApiProtobuf.Deserialize(Status.TypeSchema, missing.Body)).Reason));
    }

    [Fact]
    public async Task A_watch_sends_frames_with_their_length()
    {
        await SendAsync(HttpMethod.Post, ConfigMaps, new ConfigMap { Metadata = { Name = "framed", Labels = new() { ["t"] = "framed" } } });
        using var request = Request(HttpMethod.Get, ConfigMaps + "?watch=1&labelSelector=t%3Dframed");
        request.Headers.Accept.Clear();
        request.Headers.TryAddWithoutValidation("Accept", ApiProtobuf.MediaType + ";stream=watch");
        using var answer = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal(ApiProtobuf.MediaType + ";stream=watch", answer.Content.Headers.ContentType!.ToString().Replace(" ", "", StringComparison.Ordinal));
        await using var stream = await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var length = new byte[4];
        await stream.ReadExactlyAsync(length, TestContext.Current.CancellationToken);
        var frame = new byte[System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(length)];
        await stream.ReadExactlyAsync(frame, TestContext.Current.CancellationToken);
        var e = (WatchEvent)ApiProtobuf.Deserialize(WatchEvent.TypeSchema, ApiProtobuf.Wrap("v1", "WatchEvent", frame));
        Assert.Equal(("ADDED", "framed"), (e.Type, RunningServer.At(e.Object, "metadata", "name")));
    }

    [Fact]
    public async Task What_has_no_message_is_not_acceptable_unless_the_client_takes_json_too()
    {
        using var table = Request(HttpMethod.Get, ConfigMaps);
        table.Headers.Accept.Clear();
        table.Headers.TryAddWithoutValidation("Accept", ApiProtobuf.MediaType + ";as=Table;g=meta.k8s.io;v=v1");
        using var refused = await server.Client.SendAsync(table, TestContext.Current.CancellationToken);
        Assert.Equal(406, (int)refused.StatusCode);
        using var discovery = await server.Client.SendAsync(Request(HttpMethod.Get, "/apis/apps/v1"), TestContext.Current.CancellationToken);
        var body = await discovery.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        Assert.Contains(((APIResourceList)ApiProtobuf.Deserialize(APIResourceList.TypeSchema, body)).Resources!, r => r.Name == "deployments/scale");
    }

    private static HttpRequestMessage Request(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(ApiProtobuf.MediaType));
        return request;
    }

    private async Task<(int Code, string? Type, byte[] Body)> SendAsync(HttpMethod method, string path, ApiStruct? body = null)
    {
        using var request = Request(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(ApiProtobuf.Serialize(body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(ApiProtobuf.MediaType);
        }

        using var answer = await server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType, await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }
}
