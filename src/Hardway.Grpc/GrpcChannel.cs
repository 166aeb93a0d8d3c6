using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;

namespace Hardway.Grpc;

/// <summary>
/// gRPC to one server over HTTP/2 (https, or prior-knowledge http on TCP or on a unix socket). Thread-safe; connects on first use
/// and reconnects by itself. It never retries a call, and failover between servers is its owner's business.
/// Protocol: gRPC over HTTP2 (grpc/doc/PROTOCOL-HTTP2.md), without compression.
/// </summary>
public sealed class GrpcChannel : IDisposable
{
    private const string UnixScheme = "unix:";
    private readonly HttpMessageInvoker _http;
    private readonly Uri _baseAddress;
    private readonly GrpcChannelOptions _options;

    private GrpcChannel(HttpMessageInvoker http, Uri baseAddress, string target, GrpcChannelOptions options)
    {
        _http = http;
        _baseAddress = baseAddress;
        Target = target;
        _options = options;
    }

    /// <summary>The address as it was given, for messages to people.</summary>
    public string Target { get; }

    /// <summary>Accepts https://host:port, http://host:port, unix:///path, unix:path and /path.</summary>
    public static GrpcChannel ForAddress(string address, GrpcChannelOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        options ??= new GrpcChannelOptions();
        if (UnixPath(address) is { } path)
        {
            return new GrpcChannel(NewInvoker(options, dial: c => DialUnixAsync(path, c), tls: false), new Uri("http://localhost/"), address, options);
        }

        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            throw new ArgumentException($"gRPC address \"{address}\": expected https://HOST:PORT, http://HOST:PORT or unix:///PATH", nameof(address));
        }

        return new GrpcChannel(NewInvoker(options, dial: null, tls: uri.Scheme == "https"), uri, address, options);
    }

    /// <summary>One request, one response. The deadline counts from now; its end is <see cref="StatusCode.DeadlineExceeded"/>.</summary>
    public async Task<TResponse> UnaryAsync<TRequest, TResponse>(
        string path, TRequest request, MessageParser<TResponse> parser, TimeSpan? deadline, CancellationToken cancellationToken)
        where TRequest : IMessage
        where TResponse : IMessage<TResponse>
    {
        using var scope = new CallScope(deadline, cancellationToken);
        try
        {
            using var response = await SendAsync(path, new SingleMessageContent(GrpcFrame.Encode(request)), scope).ConfigureAwait(false);
            var body = await response.Content.ReadAsStreamAsync(scope.Token).ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                var first = await GrpcFrame.ReadAsync(body, parser, _options.MaxReceiveMessageSize, scope.Token).ConfigureAwait(false);
                var more = first is not null && await GrpcFrame.ReadAsync(body, parser, _options.MaxReceiveMessageSize, scope.Token).ConfigureAwait(false) is not null;
                GrpcStatus.ThrowUnlessOk(response);
                return first is null ? throw new GrpcException(StatusCode.Internal, "the server answered OK without a message")
                    : more ? throw new GrpcException(StatusCode.Internal, "the server answered a unary call with several messages")
                    : first;
            }
        }
        catch (Exception e) when (scope.Translate(e, Target) is { } translated)
        {
            throw translated;
        }
    }

    /// <summary>One request, a stream of responses. Ending the enumeration cancels the call. No deadline means until either side ends it.</summary>
    public async IAsyncEnumerable<TResponse> ServerStreamAsync<TRequest, TResponse>(
        string path, TRequest request, MessageParser<TResponse> parser, TimeSpan? deadline, [EnumeratorCancellation] CancellationToken cancellationToken)
        where TRequest : IMessage
        where TResponse : IMessage<TResponse>
    {
        using var scope = new CallScope(deadline, cancellationToken);
        var reader = new ResponseReader<TResponse>(SendAsync(path, new SingleMessageContent(GrpcFrame.Encode(request)), scope), parser, scope, Target, _options.MaxReceiveMessageSize);
        await using (reader.ConfigureAwait(false))
        {
            while (await reader.ReadAsync().ConfigureAwait(false) is { } message)
            {
                yield return message;
            }
        }
    }

    /// <summary>Client streaming or duplex: the call starts now and lives until it is disposed or either side ends it.</summary>
    public GrpcDuplexCall<TRequest, TResponse> Duplex<TRequest, TResponse>(
        string path, MessageParser<TResponse> parser, TimeSpan? deadline, CancellationToken cancellationToken)
        where TRequest : IMessage
        where TResponse : IMessage<TResponse>
    {
        var scope = new CallScope(deadline, cancellationToken);
        var content = new StreamingContent();
        var reader = new ResponseReader<TResponse>(SendAsync(path, content, scope), parser, scope, Target, _options.MaxReceiveMessageSize);
        return new GrpcDuplexCall<TRequest, TResponse>(content, reader, scope);
    }

    public void Dispose() => _http.Dispose();

    internal static string? UnixPath(string address) =>
        address.StartsWith('/') ? address
        : !address.StartsWith(UnixScheme, StringComparison.Ordinal) ? null
        : address[UnixScheme.Length..] is ['/', '/', .. var absolute] ? absolute : address[UnixScheme.Length..];

    private async Task<HttpResponseMessage> SendAsync(string path, HttpContent content, CallScope scope)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_baseAddress, path))
        {
            Version = System.Net.HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Headers.TryAddWithoutValidation("user-agent", "grpc-hardway/1");
        foreach (var (name, value) in _options.Metadata)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (scope.Remaining is { } left)
        {
            request.Headers.TryAddWithoutValidation("grpc-timeout", GrpcStatus.FormatTimeout(left));
        }

        var response = await _http.SendAsync(request, scope.Token).ConfigureAwait(false);
        try
        {
            GrpcStatus.ThrowUnlessGrpc(response);
            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private static HttpMessageInvoker NewInvoker(GrpcChannelOptions options, Func<CancellationToken, ValueTask<Stream>>? dial, bool tls)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            UseCookies = false,
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = System.Net.DecompressionMethods.None,
            ActivityHeadersPropagator = null,
        };
        if (options.KeepAliveInterval is { } interval)
        {
            handler.KeepAlivePingDelay = interval;
            handler.KeepAlivePingTimeout = options.KeepAliveTimeout;
            handler.KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests;
        }

        if (dial is not null)
        {
            handler.ConnectCallback = (_, c) => dial(c);
        }

        if (tls)
        {
            handler.SslOptions = TlsFor(options.Tls);
        }

        return new HttpMessageInvoker(handler, disposeHandler: true);
    }

    private static SslClientAuthenticationOptions TlsFor(GrpcTlsOptions tls)
    {
        var ssl = new SslClientAuthenticationOptions();
        if (tls.ServerName is not null)
        {
            ssl.TargetHost = tls.ServerName;
        }

        if (tls.ClientCertificate is not null)
        {
            ssl.ClientCertificateContext = SslStreamCertificateContext.Create(tls.ClientCertificate, tls.ClientIntermediates, offline: true);
        }

        if (tls.TrustedRoots is not null)
        {
            ssl.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            ssl.CertificateChainPolicy.CustomTrustStore.AddRange(tls.TrustedRoots);
        }

        return ssl;
    }

    private static async ValueTask<Stream> DialUnixAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
