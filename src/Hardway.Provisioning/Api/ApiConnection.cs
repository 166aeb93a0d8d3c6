using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Hardway.Hosting;
using Hardway.Pki;
using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Api;

/// <summary>
/// The administrator's connection to the API, as JSON: few calls, no types. Dials the machine's address and checks the endpoint's name, so it
/// needs no entry in the jumpbox's hosts file. Safe for use from several tasks.
/// </summary>
internal sealed class ApiConnection : IDisposable
{
    private const int _attempts = 6;
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(500);

    private readonly HttpClient _client;
    private readonly SocketsHttpHandler _handler;
    private readonly string _base;
    private readonly bool _http2;
    private readonly TimeProvider _time;

    /// <param name="cluster">Whose.</param>
    /// <param name="machine">Where to connect; by default where everybody does.</param>
    /// <param name="http2">
    /// One connection for all, with pings: a connection whose other end is gone without a word is noticed within seconds, not when the kernel gives up sending
    /// after a quarter of an hour.
    /// </param>
    public ApiConnection(ClusterModel cluster, Machine? machine = null, bool http2 = false)
    {
        var address = (machine ?? cluster.Machines.Endpoint).Address;
        _base = cluster.EndpointUrl;
        _handler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(http2 ? 2 : 5),
            KeepAlivePingDelay = TimeSpan.FromSeconds(1),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(2),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            SslOptions = new SslClientAuthenticationOptions
            {
                TargetHost = cluster.EndpointName,
                ClientCertificateContext = SslStreamCertificateContext.Create(
                    PemFiles.ReadWithKey(cluster.Files.Certificate("admin"), cluster.Files.Key("admin")), null, offline: true),
                RemoteCertificateValidationCallback = TrustBundle.Read(cluster.Files.Certificate(ClusterCertificates.Authority)).ServerValidation,
            },
            ConnectCallback = async (context, token) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                try
                {
                    await socket.ConnectAsync(new IPEndPoint(address, context.DnsEndPoint.Port), token).ConfigureAwait(false);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        _http2 = http2;
        _time = cluster.Options.Time;
        _client = new HttpClient(_handler) { Timeout = TimeSpan.FromSeconds(15), MaxResponseContentBufferSize = 16 << 20 };
    }

    /// <summary>The object, or null when there is none (404).</summary>
    public Task<JsonNode?> GetAsync(string path, CancellationToken cancellation) => SendAsync(HttpMethod.Get, path, null, cancellation);

    public async Task<JsonNode> PostAsync(string path, JsonNode body, CancellationToken cancellation)
        => await SendAsync(HttpMethod.Post, path, body, cancellation).ConfigureAwait(false) ?? throw new ComponentException($"POST {path}: not found");

    public async Task<JsonNode> PutAsync(string path, JsonNode body, CancellationToken cancellation)
        => await SendAsync(HttpMethod.Put, path, body, cancellation).ConfigureAwait(false) ?? throw new ComponentException($"PUT {path}: not found");

    public Task DeleteAsync(string path, CancellationToken cancellation)
        => SendAsync(HttpMethod.Delete, path, JsonNode.Parse("""{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0}"""), cancellation);

    public async Task<string> GetTextAsync(string path, CancellationToken cancellation)
    {
        using var answer = await _client.GetAsync(new Uri(_base + path), cancellation).ConfigureAwait(false);
        var text = await answer.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
        return answer.IsSuccessStatusCode ? text : throw Error("GET", path, answer.StatusCode, text);
    }

    /// <summary>
    /// Runs a command in a container by the exec subresource over a WebSocket, protocol v5.channel.k8s.io (or v4): each message begins with
    /// a channel number: 1 stdout, 2 stderr, 3 the final Status.
    /// </summary>
    public async Task<string> ExecAsync(string ns, string pod, IEnumerable<string> command, CancellationToken cancellation)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timer.CancelAfter(TimeSpan.FromSeconds(10));
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("v5.channel.k8s.io");
        socket.Options.AddSubProtocol("v4.channel.k8s.io");
        var query = string.Join('&', command.Select(c => "command=" + Uri.EscapeDataString(c)));
        var uri = new Uri($"{_base.Replace("https:", "wss:", StringComparison.Ordinal)}/api/v1/namespaces/{ns}/pods/{pod}/exec?stdout=true&stderr=true&{query}");
        using var invoker = new HttpMessageInvoker(_handler, disposeHandler: false);
        try
        {
            await socket.ConnectAsync(uri, invoker, timer.Token).ConfigureAwait(false);
            return await ReadAsync(socket, timer.Token).ConfigureAwait(false);
        }
        catch (WebSocketException e)
        {
            throw new ComponentException($"exec in {ns}/{pod}: {e.InnerException?.Message ?? e.Message}", e);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ComponentException($"exec in {ns}/{pod}: no end after 10 s");
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _handler.Dispose();
    }

    private static async Task<string> ReadAsync(ClientWebSocket socket, CancellationToken cancellation)
    {
        var output = new MemoryStream();
        var error = new MemoryStream();
        var status = new MemoryStream();
        var buffer = new byte[65536];
        while (output.Length + error.Length + status.Length < 4 << 20)
        {
            var channel = -1;
            ValueWebSocketReceiveResult received;
            do
            {
                received = await socket.ReceiveAsync(buffer.AsMemory(), cancellation).ConfigureAwait(false);
                var bytes = buffer.AsSpan(0, received.Count);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    return Result(output, error, status);
                }

                if (channel < 0 && bytes.Length > 0)
                {
                    channel = bytes[0];
                    bytes = bytes[1..];
                }

                (channel switch { 1 => output, 2 => error, 3 => status, _ => Stream.Null }).Write(bytes);
            }
            while (!received.EndOfMessage);
        }

        return Result(output, error, status);
    }

    private static string Result(MemoryStream output, MemoryStream error, MemoryStream status)
    {
        var text = Encoding.UTF8.GetString(status.ToArray());
        if (text.Length > 0 && JsonNode.Parse(text) is { } node && (string?)node["status"] != "Success")
        {
            throw new ComponentException($"{(string?)node["message"] ?? text}; stderr: {Encoding.UTF8.GetString(error.ToArray()).Trim()}");
        }

        return Encoding.UTF8.GetString(output.ToArray());
    }

    /// <summary>
    /// A load balancer closes connections when a server goes or comes; what only reads is asked again then. Not over HTTP/2, whose users (drills) want to see just that.
    /// </summary>
    private async Task<JsonNode?> SendAsync(HttpMethod method, string path, JsonNode? body, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await SendOnceAsync(method, path, body, cancellation).ConfigureAwait(false);
            }
            catch (ComponentException e) when (method == HttpMethod.Get && !_http2 && attempt < _attempts && WasClosed(e.InnerException))
            {
                await Task.Delay(_pause, _time, cancellation).ConfigureAwait(false);
            }
        }
    }

    private static bool WasClosed(Exception? e) => e is IOException || (e is not null && WasClosed(e.InnerException));

    private async Task<JsonNode?> SendOnceAsync(HttpMethod method, string path, JsonNode? body, CancellationToken cancellation)
    {
        using var request = Request(method, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        }

        string text;
        HttpStatusCode code;
        try
        {
            using var answer = await _client.SendAsync(request, cancellation).ConfigureAwait(false);
            text = await answer.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
            code = answer.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellation.IsCancellationRequested)
        {
            throw new ComponentException($"{method} {path}: {Reasons.Of(e)}", e);
        }

        if (code == HttpStatusCode.NotFound)
        {
            return null;
        }

        return (int)code is >= 200 and < 300
            ? JsonNode.Parse(text)
            : throw Error(method.Method, path, code, text);
    }

    /// <summary>The lines of a watch; cancelled when nothing is heard for <paramref name="silence"/>: whoever needs it asks again.</summary>
    public async IAsyncEnumerable<JsonNode> WatchAsync(string path, TimeSpan silence, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        using var request = Request(HttpMethod.Get, path);
        using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        if (!answer.IsSuccessStatusCode)
        {
            throw Error("GET", path, answer.StatusCode, await answer.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false));
        }

        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false), Encoding.UTF8);
        while (true)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(silence);
            if (await reader.ReadLineAsync(limit.Token).ConfigureAwait(false) is not { } line)
            {
                yield break;
            }

            yield return JsonNode.Parse(line)!;
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string path) => new(method, new Uri(_base + path))
    {
        Version = _http2 ? HttpVersion.Version20 : HttpVersion.Version11,
        VersionPolicy = _http2 ? HttpVersionPolicy.RequestVersionExact : HttpVersionPolicy.RequestVersionOrLower,
    };

    private static ComponentException Error(string method, string path, HttpStatusCode code, string text)
    {
        var message = text;
        try
        {
            message = (string?)JsonNode.Parse(text)?["message"] ?? text;
        }
        catch (System.Text.Json.JsonException)
        {
            // Not a Status: the words as they are.
        }

        message = message.ReplaceLineEndings(" ");
        return new ComponentException($"{method} {path}: {(int)code}: {(message.Length > 400 ? message[..400] + "..." : message)}");
    }
}
