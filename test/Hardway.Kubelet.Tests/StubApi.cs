using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.Kubelet.Tests;

/// <summary>As much of an API server as a kubelet needs for reading single objects and writing them whole or by merge patches of metadata (which are only noted).</summary>
internal sealed class StubApi : HttpMessageHandler
{
    public ConcurrentDictionary<string, byte[]> Objects { get; } = new(StringComparer.Ordinal);

    public ConcurrentQueue<string> Patches { get; } = [];

    public KubeClient NewClient() => new(new KubeTransport(new Uri("http://stub/"), this), null, "test", TimeProvider.System);

    public void Put(string path, ApiStruct value) => Objects[path] = ApiJson.Serialize(value);

    public T Get<T>(string path) where T : ApiStruct, IApiType<T>, new() => ApiJson.Deserialize<T>(Objects[path]);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.AbsolutePath;
        var body = request.Content == null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        switch (request.Method.Method)
        {
            case "POST":
                Objects[$"{path}/{((Dictionary<string, object?>)((Dictionary<string, object?>)ApiJson.DeserializeTree(body)!)["metadata"]!)["name"]}"] = body;
                return Answer(HttpStatusCode.Created, body);
            case "PUT":
                Objects[path] = body;
                return Answer(HttpStatusCode.OK, body);
            case "PATCH":
                Patches.Enqueue(Encoding.UTF8.GetString(body));
                break;
        }
        return Objects.TryGetValue(path, out var found) ? Answer(HttpStatusCode.OK, found) : Answer(HttpStatusCode.NotFound, ApiJson.Serialize(new Api.Core.V1.Status { Kind = "Status", ApiVersion = "v1", StatusValue = "Failure", Reason = "NotFound", Message = $"{path} not found", Code = 404 }));
    }

    private static HttpResponseMessage Answer(HttpStatusCode code, byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new("application/json");
        return new HttpResponseMessage(code) { Content = content };
    }
}
