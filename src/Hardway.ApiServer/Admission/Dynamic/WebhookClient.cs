using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Hardway.Api;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.ApiServer.Aggregation;
using Hardway.ApiServer.Registry;
using Hardway.Pki;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>A webhook that did not answer as it should.</summary>
internal sealed class WebhookException(string message, Exception? inner = null) : Exception(message, inner)
{
}

/// <summary>
/// Calls webhooks over HTTPS. One in the cluster is reached at one of its Service's endpoints, as servers have routes to Pods but no Service
/// addresses; its certificate must be for NAME.NAMESPACE.svc and of the configured authority. Connections are kept by authority and target.
/// </summary>
internal sealed class WebhookClient(IResourceReader reader) : IDisposable
{
    private const int LargestAnswer = 16 << 20;
    private const int MostKept = 256;
    private readonly ConcurrentDictionary<string, HttpClient> _clients = new(StringComparer.Ordinal);

    /// <param name="config">Where.</param>
    /// <param name="review">The AdmissionReview to send.</param>
    /// <param name="timeout">How long to wait for all of it.</param>
    /// <param name="cancellationToken">Ends when the request does.</param>
    public async Task<byte[]> CallAsync(WebhookClientConfig config, byte[] review, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var url = UrlOf(config);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(timeout);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new UriBuilder(url) { Query = (url.Query.Length > 0 ? url.Query[1..] + "&" : "") + $"timeout={(long)timeout.TotalSeconds}s" }.Uri) { Content = new ByteArrayContent(review) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            using var response = await ClientOf(config, url).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limited.Token).ConfigureAwait(false);
            var body = await ReadAsync(response, limited.Token).ConfigureAwait(false);
            return response.IsSuccessStatusCode ? body : throw new WebhookException($"the server answered {(int)response.StatusCode}");
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new WebhookException($"Post \"{url}\": context deadline exceeded", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or CryptographicException)
        {
            throw new WebhookException($"Post \"{url}\": {e.InnerException?.Message ?? e.Message}", e);
        }
    }

    public void Dispose()
    {
        foreach (var client in _clients.Values)
        {
            client.Dispose();
        }
    }

    private static Uri UrlOf(WebhookClientConfig config)
    {
        if (config.Service is { } service)
        {
            return new Uri($"https://{service.Name}.{service.Namespace}.svc:{service.Port ?? 443}{(service.Path is { Length: > 0 } path ? path.StartsWith('/') ? path : "/" + path : "/")}");
        }

        return Uri.TryCreate(config.Url, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps ? url : throw new WebhookException($"\"{config.Url}\" is no https URL");
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > LargestAnswer)
        {
            throw new WebhookException("the answer is too large");
        }

        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var body = new MemoryStream();
        var buffer = new byte[16 << 10];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            body.Write(buffer, 0, read);
            if (body.Length > LargestAnswer)
            {
                throw new WebhookException("the answer is too large");
            }
        }

        return body.ToArray();
    }

    private HttpClient ClientOf(WebhookClientConfig config, Uri url)
    {
        var key = $"{url.Authority} {Convert.ToHexString(SHA256.HashData(config.CaBundle ?? []))}";
        if (_clients.TryGetValue(key, out var known))
        {
            return known;
        }

        var client = Make(config);
        if (_clients.Count >= MostKept || !_clients.TryAdd(key, client))
        {
            return _clients.GetValueOrDefault(key) ?? client;
        }

        return client;
    }

    private HttpClient Make(WebhookClientConfig config)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            MaxConnectionsPerServer = 32,
        };
        if (config.CaBundle is { Length: > 0 } bundle)
        {
            var trust = TrustBundle.Parse(Encoding.ASCII.GetString(bundle));
            handler.SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = trust.ServerValidation };
        }

        if (config.Service is { } service)
        {
            var (ns, name, port) = (service.Namespace, service.Name, service.Port ?? 443);
            handler.ConnectCallback = async (_, token) => await ConnectAsync(ns, name, port, token).ConfigureAwait(false);
        }

        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    private async ValueTask<Stream> ConnectAsync(string ns, string name, int port, CancellationToken cancellationToken)
    {
        var target = ServiceEndpoints.Find(reader, ns, name, port, out var fault) ?? throw new HttpRequestException(fault!.Message);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(target, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
