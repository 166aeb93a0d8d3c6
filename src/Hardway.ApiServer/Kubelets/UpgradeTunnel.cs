using System.Buffers;
using System.Globalization;
using System.Text;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Hardway.ApiServer.Kubelets;

/// <summary>
/// Hands an upgrade on (SPDY/3.1, WebSocket): the request's head goes to the backend, its answer's head comes back, and after 101 bytes are
/// copied both ways until one side ends. What the bytes mean is theirs.
/// </summary>
internal static class UpgradeTunnel
{
    private const int MaxHead = 64 * 1024;
    private static readonly TimeSpan s_linger = TimeSpan.FromSeconds(10);

    private static readonly HashSet<string> s_kept = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Authorization", "Content-Length", "Transfer-Encoding", "Expect", "Cookie",
    };

    public static async Task RunAsync(RequestContext context, Stream backend, Uri target, IReadOnlyList<KeyValuePair<string, string>>? added = null)
    {
        await using (backend.ConfigureAwait(false))
        {
            await backend.WriteAsync(Head(context, target, added: added), context.Aborted).ConfigureAwait(false);
            var (head, rest) = await ReadHeadAsync(backend, context.Aborted).ConfigureAwait(false);
            var status = Apply(head, context);
            if (status != 101)
            {
                await context.Response.Body.WriteAsync(rest, context.Aborted).ConfigureAwait(false);
                await backend.CopyToAsync(context.Response.Body, context.Aborted).ConfigureAwait(false);
                return;
            }

            var upgrade = context.Http.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } feature ? feature : throw Statuses.BadRequest("the connection cannot be upgraded");
            var client = await upgrade.UpgradeAsync().ConfigureAwait(false);
            await using (client.ConfigureAwait(false))
            {
                await client.WriteAsync(rest, context.Aborted).ConfigureAwait(false);
                await client.FlushAsync(context.Aborted).ConfigureAwait(false);
                await PumpAsync(client, backend, context.Aborted).ConfigureAwait(false);
            }
        }
    }

    public static async Task PumpAsync(Stream client, Stream backend, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var down = CopyAsync(backend, client, end.Token);
        var up = CopyAsync(client, backend, end.Token);
        if (await Task.WhenAny(down, up).ConfigureAwait(false) == up)
        {
            // The client says no more; what the other side still has to say is waited for.
            end.CancelAfter(s_linger);
        }
        else
        {
            await end.CancelAsync().ConfigureAwait(false);
        }

        await Task.WhenAll(down, up).ConfigureAwait(false);
    }

    public static byte[] Head(RequestContext context, Uri target, IReadOnlyDictionary<string, string>? replaced = null, IReadOnlyList<KeyValuePair<string, string>>? added = null)
    {
        var request = context.Request;
        var head = new StringBuilder().Append(request.Method).Append(' ').Append(target.PathAndQuery).Append(" HTTP/1.1\r\nHost: ").Append(target.Authority).Append("\r\n");
        foreach (var (name, values) in request.Headers)
        {
            if (name.StartsWith(':') || s_kept.Contains(name) || replaced?.ContainsKey(name) == true || name.StartsWith("Impersonate-", StringComparison.OrdinalIgnoreCase) || name.StartsWith("X-Remote-", StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            foreach (var value in values)
            {
                head.Append(name).Append(": ").Append(value).Append("\r\n");
            }
        }

        foreach (var (name, value) in replaced ?? new Dictionary<string, string>())
        {
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        foreach (var (name, value) in added ?? [])
        {
            if (value.AsSpan().IndexOfAny('\r', '\n') < 0)
            {
                head.Append(name).Append(": ").Append(value).Append("\r\n");
            }
        }

        if (HttpMethodHasBody(request.Method))
        {
            head.Append("Content-Length: 0\r\n");
        }

        return Encoding.Latin1.GetBytes(head.Append("\r\n").ToString());
    }

    public static async Task<(string Head, byte[] After)> ReadHeadAsync(Stream stream, CancellationToken stop)
    {
        var buffer = new byte[MaxHead];
        var filled = 0;
        while (filled < MaxHead)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(filled), stop).ConfigureAwait(false);
            if (read == 0)
            {
                break;
            }

            filled += read;
            var end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                return (Encoding.Latin1.GetString(buffer, 0, end), buffer[(end + 4)..filled]);
            }
        }

        throw Statuses.Internal("the backend closed the connection before it answered the upgrade");
    }

    private static bool HttpMethodHasBody(string method) => method is "POST" or "PUT" or "PATCH";

    private static int Apply(string head, RequestContext context)
    {
        var lines = head.Split("\r\n");
        var words = lines[0].Split(' ');
        if (words.Length < 2 || !int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var status))
        {
            throw Statuses.Internal("the backend's answer to the upgrade is not HTTP");
        }

        context.Response.StatusCode = status;
        foreach (var line in lines.AsSpan(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && !line.StartsWith("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
            {
                context.Response.Headers.Append(line[..colon], line[(colon + 1)..].Trim());
            }
        }

        return status;
    }

    /// <summary>A side that went away is the ordinary end of a stream.</summary>
    private static async Task CopyAsync(Stream from, Stream to, CancellationToken stop)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(32 * 1024);
        try
        {
            int read;
            while ((read = await from.ReadAsync(buffer, stop).ConfigureAwait(false)) > 0)
            {
                await to.WriteAsync(buffer.AsMemory(0, read), stop).ConfigureAwait(false);
                await to.FlushAsync(stop).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // Ended.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
