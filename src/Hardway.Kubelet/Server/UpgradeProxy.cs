using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Hardway.Kubelet.Server;

/// <summary>
/// Hands an upgrade request (SPDY/3.1 or WebSocket) on to the runtime's streaming server and then copies bytes both ways:
/// 1. the same request head goes there, 2. its answer's head comes back, 3. on 101 both sides are upgraded and only bytes flow.
/// Neither protocol is understood here.
/// </summary>
internal static class UpgradeProxy
{
    private const int MaxHead = 64 << 10;
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(10);
    private static readonly HashSet<string> NotForwarded = new(StringComparer.OrdinalIgnoreCase) { "Host", "Authorization", "Content-Length", "Transfer-Encoding", "Expect" };

    public static async Task RunAsync(HttpContext context, string url, CancellationToken stop)
    {
        var target = new Uri(url);
        using var connection = new TcpClient { NoDelay = true };
        await connection.ConnectAsync(target.Host, target.Port, stop);
        var upstream = connection.GetStream();
        // 1.
        await upstream.WriteAsync(RequestHead(context.Request, target), stop);
        // 2.
        var (head, rest) = await ReadHeadAsync(upstream, stop);
        var status = ApplyHead(head, context.Response);
        if (status != StatusCodes.Status101SwitchingProtocols)
        {
            await context.Response.Body.WriteAsync(rest, stop);
            await upstream.CopyToAsync(context.Response.Body, stop);
            return;
        }
        // 3.
        var upgrade = context.Features.Get<IHttpUpgradeFeature>() ?? throw new InvalidOperationException("the server cannot upgrade connections");
        await using var client = await upgrade.UpgradeAsync();
        await client.WriteAsync(rest, stop);
        await PumpAsync(client, upstream, connection, stop);
    }

    private static async Task PumpAsync(Stream client, NetworkStream upstream, TcpClient connection, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var down = CopyAsync(upstream, client, end.Token);
        var up = CopyAsync(client, upstream, end.Token);
        if (await Task.WhenAny(down, up) == up)
        {
            // The client has no more to say; what the runtime still has to say is waited for, for a while.
            if (connection.Connected)
                connection.Client.Shutdown(SocketShutdown.Send);
            end.CancelAfter(Linger);
        }
        else
            await end.CancelAsync();
        await Task.WhenAll(down, up);
    }

    /// <summary>A side that went away is the ordinary end of a stream.</summary>
    private static async Task CopyAsync(Stream from, Stream to, CancellationToken stop)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(32 << 10);
        try
        {
            int read;
            while ((read = await from.ReadAsync(buffer, stop)) > 0)
            {
                await to.WriteAsync(buffer.AsMemory(0, read), stop);
                await to.FlushAsync(stop);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Ended.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static byte[] RequestHead(HttpRequest request, Uri target)
    {
        var head = new StringBuilder($"{request.Method} {target.PathAndQuery} HTTP/1.1\r\nHost: {target.Authority}\r\n");
        foreach (var (name, values) in request.Headers)
        {
            if (name.StartsWith(':') || NotForwarded.Contains(name))
                continue;
            foreach (var value in values)
                head.Append(name).Append(": ").Append(value).Append("\r\n");
        }
        if (!request.Headers.ContainsKey("Upgrade"))
            head.Append("Connection: close\r\n");
        return Encoding.ASCII.GetBytes(head.Append("\r\n").ToString());
    }

    private static async Task<(string Head, byte[] After)> ReadHeadAsync(NetworkStream stream, CancellationToken stop)
    {
        var buffer = new byte[MaxHead];
        var filled = 0;
        while (filled < MaxHead)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(filled), stop);
            if (read == 0)
                break;
            filled += read;
            var end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
                return (Encoding.ASCII.GetString(buffer, 0, end), buffer[(end + 4)..filled]);
        }
        throw new IOException("the runtime's streaming server gave no answer");
    }

    private static int ApplyHead(string head, HttpResponse response)
    {
        var lines = head.Split("\r\n");
        var status = int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture);
        response.StatusCode = status;
        foreach (var line in lines[1..])
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || line.StartsWith("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
                continue;
            var name = line[..colon];
            response.Headers[name] = StringValues.Concat(response.Headers[name], line[(colon + 1)..].Trim());
        }
        return status;
    }
}
