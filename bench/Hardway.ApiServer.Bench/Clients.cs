using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;

namespace Hardway.ApiServer.Bench;

/// <summary>32 callers over 4 connections of HTTP/2, as an administrator.</summary>
internal sealed class Clients : IDisposable
{
    private const int Connections = 4;
    private const int Callers = 32;
    private readonly HttpClient[] _clients;

    public Clients(int port, X509Certificate2? identity)
    {
        _clients = [.. Enumerable.Range(0, Connections).Select(_ => New(port, identity))];
    }

    public HttpClient First => _clients[0];

    public void Dispose() => Array.ForEach(_clients, c => c.Dispose());

    /// <summary>Requests a second; each call gets a number of its own.</summary>
    public async Task<double> MeasureAsync(TimeSpan length, Func<int, HttpRequestMessage> make, int callers = Callers)
    {
        var (next, start) = (0, TimeProvider.System.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, callers).Select(async caller =>
        {
            var client = _clients[caller % Connections];
            while (TimeProvider.System.GetElapsedTime(start) < length)
            {
                using var request = make(Interlocked.Increment(ref next));
                using var answer = await client.SendAsync(request).ConfigureAwait(false);
                if (!answer.IsSuccessStatusCode)
                {
                    throw new InvalidOperationException($"{request.Method} {request.RequestUri}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync().ConfigureAwait(false)}");
                }

                await answer.Content.CopyToAsync(Stream.Null).ConfigureAwait(false);
            }
        })).ConfigureAwait(false);
        return next / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    public static HttpRequestMessage Request(HttpMethod method, string path, string? body = null, string type = "application/json")
    {
        var request = new HttpRequestMessage(method, path) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("bench", "1.0"));
        if (body is not null)
        {
            request.Content = new StringContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        }

        return request;
    }

    [SuppressMessage("Security", "CA5359", Justification = "The server is one that this program started a moment ago.")]
    private static HttpClient New(int port, X509Certificate2? identity)
    {
        var handler = new SocketsHttpHandler { EnableMultipleHttp2Connections = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        if (identity is not null)
        {
            handler.SslOptions.ClientCertificates = [identity];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => identity;
        }

        return new HttpClient(handler) { BaseAddress = new Uri($"https://127.0.0.1:{port}"), Timeout = TimeSpan.FromMinutes(2) };
    }
}
