using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Hardway.ApiServer.Kubelets;

/// <summary>The server's part of the WebSocket handshake (RFC 6455, section 4.2.2) on an HTTP/1.1 request.</summary>
internal static class WebSocketUpgrade
{
    private const string Magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static readonly TimeSpan s_keepAlive = TimeSpan.FromSeconds(30);

    public static bool IsAsked(HttpRequest request) =>
        request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase) && request.Headers.SecWebSocketKey.Count == 1;

    /// <summary>The first of the client's protocols that is offered, or null.</summary>
    public static string? Choose(HttpRequest request, params ReadOnlySpan<string> offered)
    {
        var asked = request.Headers.SecWebSocketProtocol.SelectMany(v => (v ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).ToList();
        foreach (var protocol in offered)
        {
            if (asked.Contains(protocol))
            {
                return protocol;
            }
        }

        return null;
    }

    public static async Task<WebSocket> AcceptAsync(HttpContext context, string protocol)
    {
        var response = context.Response;
        response.StatusCode = StatusCodes.Status101SwitchingProtocols;
        response.Headers.Connection = "Upgrade";
        response.Headers.Upgrade = "websocket";
        response.Headers.SecWebSocketAccept = Accept(context.Request.Headers.SecWebSocketKey.ToString());
        if (protocol.Length > 0)
        {
            response.Headers.SecWebSocketProtocol = protocol;
        }

        var stream = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync().ConfigureAwait(false);
        return WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true, SubProtocol = protocol.Length > 0 ? protocol : null, KeepAliveInterval = s_keepAlive });
    }

#pragma warning disable CA5350 // RFC 6455 demands SHA-1 here; nothing is protected by it.
    private static string Accept(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + Magic)));
#pragma warning restore CA5350
}
