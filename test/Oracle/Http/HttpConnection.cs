using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Hardway.Oracle.Tests.Http;

/// <summary>
/// One kept connection that sends requests byte for byte as they were recorded: HttpClient folds repeated headers into one line and rewrites paths.
/// Used by one caller at a time.
/// </summary>
internal sealed class HttpConnection(int port, X509Certificate2 authority, X509Certificate2? certificate) : IAsyncDisposable
{
    private SslStream? _stream;
    private HttpInput? _input;

    public async Task<HttpAnswer> SendAsync(
        string method, string path, IEnumerable<KeyValuePair<string, string>> headers, byte[]? body, Action? onHeaders, CancellationToken cancellationToken)
    {
        var request = Encode(method, path, headers, body);
        while (true)
        {
            var kept = _stream is not null;
            try
            {
                var answer = await SendOnceAsync(request, method != "HEAD", onHeaders, cancellationToken);
                if (answer.Status == 101 || "close".Equals(answer.Header("Connection"), StringComparison.OrdinalIgnoreCase)) await DisposeAsync();
                return answer;
            }
            catch (IOException) when (kept)
            {
                // The server may close a kept connection just when it is used again.
                await DisposeAsync();
            }
            catch
            {
                await DisposeAsync();
                throw;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_stream is { } stream) await stream.DisposeAsync();
        (_stream, _input) = (null, null);
    }

    private static byte[] Encode(string method, string path, IEnumerable<KeyValuePair<string, string>> headers, byte[]? body)
    {
        var head = new StringBuilder($"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n");
        foreach (var (name, value) in headers) head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        if (body is not null || method is "POST" or "PUT" or "PATCH") head.Append(CultureInfo.InvariantCulture, $"Content-Length: {body?.Length ?? 0}\r\n");
        return [.. Encoding.Latin1.GetBytes(head.Append("\r\n").ToString()), .. body ?? []];
    }

    private async Task<HttpAnswer> SendOnceAsync(byte[] request, bool hasBody, Action? onHeaders, CancellationToken cancellationToken)
    {
        if (_stream is null) await OpenAsync(cancellationToken);
        await _stream!.WriteAsync(request, cancellationToken);
        return await _input!.ReadAsync(hasBody, onHeaders, cancellationToken);
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", port, cancellationToken);
        var stream = new SslStream(socket.GetStream());
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = "127.0.0.1",
            ClientCertificates = certificate is null ? null : [certificate],
            CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { authority }, RevocationMode = X509RevocationMode.NoCheck },
        };
        await stream.AuthenticateAsClientAsync(options, cancellationToken);
        (_stream, _input) = (stream, new HttpInput(stream));
    }
}
