using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Kubelets.Spdy;
using Hardway.ApiServer.Registry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Hardway.ApiServer.Kubelets;

/// <summary>
/// pods/log, pods/exec, pods/attach and pods/portforward: finds the Pod's kubelet and joins the client to it. SPDY clients are joined byte by
/// byte; WebSocket clients of exec and attach are translated, those of port-forward carry SPDY inside.
/// </summary>
internal sealed class PodStreams(KubeletTransport kubelets, IResourceReader reader)
{
    private const string Spdy = "SPDY/3.1";
    private const string PortForwardTunnel = "SPDY/3.1+portforward.k8s.io";
    private const string PortForwardProtocol = "portforward.k8s.io";
    private static readonly string[] s_commandProtocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

    /// <summary>Whether this answers the request.</summary>
    public static bool Serves(RequestInfo info) => info is { Group: "", Resource: "pods", Subresource: "log" or "exec" or "attach" or "portforward" };

    public Task HandleAsync(RequestContext context) => context.Info.Subresource switch
    {
        "log" => LogAsync(context),
        "portforward" => UpgradeAsync(context, Path(context, "portForward", null), isCommand: false),
        var command => UpgradeAsync(context, Path(context, command, ContainerOf(context, PodOf(context)), CommandQuery(context)), isCommand: true),
    };

    private async Task LogAsync(RequestContext context)
    {
        var pod = PodOf(context);
        var container = ContainerOf(context, pod);
        if (pod.Spec.NodeName.Length == 0)
        {
            // Nothing runs yet: an empty log, as upstream answers.
            return;
        }

        var query = new List<string>();
        foreach (var (name, values) in context.Request.Query)
        {
            if (name is "follow" or "previous" or "sinceSeconds" or "sinceTime" or "timestamps" or "tailLines" or "limitBytes" or "stream")
            {
                query.Add(name + "=" + Uri.EscapeDataString(values.ToString()));
            }
        }

        var endpoint = kubelets.Locate(pod.Spec.NodeName);
        var target = new UriBuilder(endpoint.Uri($"/containerLogs/{pod.Metadata.Namespace}/{pod.Metadata.Name}/{container}")) { Scheme = "http", Query = string.Join('&', query) };
        using var request = new HttpRequestMessage(HttpMethod.Get, target.Uri);
        using var answer = await kubelets.SendAsync(request, endpoint, context.Aborted).ConfigureAwait(false);
        if (!answer.IsSuccessStatusCode)
        {
            var text = await answer.Content.ReadAsStringAsync(context.Aborted).ConfigureAwait(false);
            throw Statuses.Make((int)answer.StatusCode, answer.StatusCode == System.Net.HttpStatusCode.BadRequest ? StatusReason.BadRequest : StatusReason.NotFound, text.Trim());
        }

        context.Response.ContentType = "text/plain";
        context.Features().Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await context.Response.StartAsync(context.Aborted).ConfigureAwait(false);
        await using var body = await answer.Content.ReadAsStreamAsync(context.Aborted).ConfigureAwait(false);
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await body.ReadAsync(buffer, context.Aborted).ConfigureAwait(false)) > 0)
        {
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.Aborted).ConfigureAwait(false);
            await context.Response.Body.FlushAsync(context.Aborted).ConfigureAwait(false);
        }
    }

    private async Task UpgradeAsync(RequestContext context, (KubeletEndpoint Endpoint, string Path) target, bool isCommand)
    {
        if (context.Features().Get<IHttpUpgradeFeature>()?.IsUpgradableRequest != true)
        {
            throw Statuses.BadRequest("the request must ask for an upgrade to SPDY/3.1 or WebSocket over HTTP/1.1");
        }

        if (WebSocketUpgrade.IsAsked(context.Request))
        {
            await WebSocketAsync(context, target, isCommand).ConfigureAwait(false);
            return;
        }

        if (!context.Request.Headers.Upgrade.ToString().Equals(Spdy, StringComparison.OrdinalIgnoreCase))
        {
            throw Statuses.BadRequest($"the upgrade to \"{context.Request.Headers.Upgrade}\" is not known: use SPDY/3.1 or websocket");
        }

        var protocols = context.Request.Headers["X-Stream-Protocol-Version"].SelectMany(v => (v ?? "").Split(',', StringSplitOptions.TrimEntries)).ToArray();
        await using var kubelet = await kubelets.DialAsync(target.Endpoint, context.Aborted).ConfigureAwait(false);
        var head = await AskAsync(kubelet, target, protocols, context.Aborted).ConfigureAwait(false);
        context.Response.StatusCode = StatusCodes.Status101SwitchingProtocols;
        context.Response.Headers.Connection = "Upgrade";
        context.Response.Headers.Upgrade = Spdy;
        if (head.Header("X-Stream-Protocol-Version") is { Length: > 0 } chosen)
        {
            context.Response.Headers["X-Stream-Protocol-Version"] = chosen;
        }

        await using var client = await context.Features().GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync().ConfigureAwait(false);
        await StreamPump.RunAsync(client, kubelet, context.Aborted).ConfigureAwait(false);
    }

    private async Task WebSocketAsync(RequestContext context, (KubeletEndpoint Endpoint, string Path) target, bool isCommand)
    {
        var protocol = isCommand ? WebSocketUpgrade.Choose(context.Request, s_commandProtocols) : WebSocketUpgrade.Choose(context.Request, PortForwardTunnel);
        if (protocol is null)
        {
            throw Statuses.BadRequest($"none of the WebSocket protocols \"{context.Request.Headers.SecWebSocketProtocol}\" is known: use {(isCommand ? string.Join(" or ", s_commandProtocols) : PortForwardTunnel)}");
        }

        var stream = await kubelets.DialAsync(target.Endpoint, context.Aborted).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            await AskAsync(stream, target, isCommand ? ["v4.channel.k8s.io"] : [PortForwardProtocol], context.Aborted).ConfigureAwait(false);
            using var socket = await WebSocketUpgrade.AcceptAsync(context.Http, protocol).ConfigureAwait(false);
            if (!isCommand)
            {
                await StreamPump.RunAsync(socket, stream, context.Aborted).ConfigureAwait(false);
                return;
            }

            await using var kubelet = new SpdyConnection(stream);
            using var translator = new RemoteCommandTranslator(socket, kubelet);
            await translator.RunAsync(Flag(context, "stdin"), Flag(context, "stdout"), Flag(context, "stderr"), Flag(context, "tty"), context.Aborted).ConfigureAwait(false);
        }
    }

    /// <summary>Asks the kubelet for the upgrade; what it answers instead becomes this request's error.</summary>
    private static async Task<RawHttpHead> AskAsync(Stream kubelet, (KubeletEndpoint Endpoint, string Path) target, IEnumerable<string> protocols, CancellationToken cancellationToken)
    {
        var headers = new List<KeyValuePair<string, string>> { new("Connection", "Upgrade"), new("Upgrade", Spdy), new("Content-Length", "0") };
        headers.AddRange(protocols.Where(p => p.Length > 0).Select(p => new KeyValuePair<string, string>("X-Stream-Protocol-Version", p)));
        await RawHttp.SendAsync(kubelet, "POST", target.Endpoint.Uri(target.Path), headers, cancellationToken).ConfigureAwait(false);
        RawHttpHead head;
        try
        {
            head = await RawHttp.ReadHeadAsync(kubelet, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw Statuses.Internal($"the kubelet at {target.Endpoint.Host} did not answer: {e.Message}", e);
        }

        if (head.Status != StatusCodes.Status101SwitchingProtocols)
        {
            var text = await RawHttp.ReadBodyAsync(kubelet, head, cancellationToken).ConfigureAwait(false);
            throw Statuses.Make(head.Status is >= 400 and < 600 ? head.Status : 500, head.Status == 404 ? StatusReason.NotFound : StatusReason.InternalError, text.Trim().Length > 0 ? text.Trim() : $"the kubelet refused with {head.Status}");
        }

        return head;
    }

    private (KubeletEndpoint Endpoint, string Path) Path(RequestContext context, string verb, string? container, string query = "")
    {
        var pod = PodOf(context);
        if (pod.Spec.NodeName.Length == 0)
        {
            throw Statuses.BadRequest($"pod {pod.Metadata.Name} does not have a host assigned");
        }

        var path = $"/{verb}/{pod.Metadata.Namespace}/{pod.Metadata.Name}" + (container is null ? "" : "/" + container);
        return (kubelets.Locate(pod.Spec.NodeName), path + query);
    }

    /// <summary>The kubelet has names of its own for the streams.</summary>
    private static string CommandQuery(RequestContext context)
    {
        var parts = new List<string>();
        foreach (var (api, kubelet) in new[] { ("stdin", "input"), ("stdout", "output"), ("stderr", "error"), ("tty", "tty") })
        {
            if (Flag(context, api) && !(api == "stderr" && Flag(context, "tty")))
            {
                parts.Add(kubelet + "=1");
            }
        }

        parts.AddRange(context.Request.Query["command"].Select(c => "command=" + Uri.EscapeDataString(c ?? "")));
        return "?" + string.Join('&', parts);
    }

    private Pod PodOf(RequestContext context) =>
        reader.Get<Pod>(context.Info.Namespace, context.Info.Name) ?? throw Statuses.NotFound("", "pods", context.Info.Name);

    private static string ContainerOf(RequestContext context, Pod pod)
    {
        var asked = context.Request.Query["container"].ToString();
        var regular = (pod.Spec.Containers ?? []).Select(c => c.Name).ToList();
        var all = regular.Concat((pod.Spec.InitContainers ?? []).Select(c => c.Name)).Concat((pod.Spec.EphemeralContainers ?? []).Select(c => c.Name)).ToList();
        if (asked.Length > 0)
        {
            return all.Contains(asked) ? asked : throw Statuses.BadRequest($"container {asked} is not valid for pod {pod.Metadata.Name}");
        }

        if (pod.Metadata.Annotations?.GetValueOrDefault("kubectl.kubernetes.io/default-container") is { } preferred && all.Contains(preferred))
        {
            return preferred;
        }

        return all.Count == 1
            ? all[0]
            : throw Statuses.BadRequest($"a container name must be specified for pod {pod.Metadata.Name}, choose one of: [{string.Join(' ', all)}]");
    }

    private static bool Flag(RequestContext context, string name) => context.Request.Query[name].ToString() is "true" or "1";
}

file static class RequestContextFeatures
{
    public static IFeatureCollection Features(this RequestContext context) => context.Http.Features;
}
