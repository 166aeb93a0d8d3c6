using System.Text;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Admission;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Handlers;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Kubelets;

/// <summary>log, exec, attach and portforward of Pods: led to the kubelet that runs the Pod.</summary>
internal sealed class PodConnectHandler(ApiServices services, NodeConnector nodes) : IConnectHandler
{
    private const string DefaultContainer = "kubectl.kubernetes.io/default-container";
    private static readonly string[] s_logOptions = ["follow", "previous", "sinceSeconds", "sinceTime", "timestamps", "tailLines", "limitBytes"];

    public bool Handles(string resource, string subresource) => resource == "pods" && subresource is "log" or "exec" or "attach" or "portforward";

    public async Task HandleAsync(RequestContext context, ServedResource resource)
    {
        var info = context.Info;
        if (info.Subresource == "log" ? info.Verb != "get" : info.Verb is not ("get" or "create"))
        {
            throw Statuses.MethodNotAllowed();
        }

        var pod = await services.Reader.GetFreshAsync<Pod>(info.Namespace, info.Name, context.Aborted).ConfigureAwait(false) ?? throw Statuses.NotFound("", "pods", info.Name);
        if (info.Subresource == "log")
        {
            await LogAsync(context, pod).ConfigureAwait(false);
            return;
        }

        await AdmitAsync(context, pod).ConfigureAwait(false);
        await StreamAsync(context, pod).ConfigureAwait(false);
    }

    private async Task LogAsync(RequestContext context, Pod pod)
    {
        var container = Container(context, pod, forLog: true);
        CheckLogOptions(context);
        if (pod.Spec.NodeName.Length == 0)
        {
            // Nobody has it yet: an empty log.
            context.Response.StatusCode = 204;
            return;
        }

        var query = new StringBuilder();
        foreach (var name in s_logOptions)
        {
            if (context.Request.Query.TryGetValue(name, out var value) && value.ToString() is { Length: > 0 } text)
            {
                query.Append(query.Length == 0 ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(text));
            }
        }

        var target = new Uri(Locate(pod), $"/containerLogs/{pod.Metadata.Namespace}/{pod.Metadata.Name}/{container}{query}");
        using var invoker = nodes.Invoker();
        await HttpForwarder.ForwardAsync(context, invoker, target, flushAlways: true).ConfigureAwait(false);
    }

    private static void CheckLogOptions(RequestContext context)
    {
        var query = context.Request.Query;
        var errors = new ErrorList();
        foreach (var (name, least) in new[] { ("tailLines", 0), ("limitBytes", 1), ("sinceSeconds", 1) })
        {
            if (query.TryGetValue(name, out var text))
            {
                if (!long.TryParse(text, out var number))
                {
                    throw Statuses.BadRequest($"{name}: \"{text}\" is not a number");
                }

                if (number < least)
                {
                    errors.Invalid(FieldPath.Of(name), number, $"must be greater than or equal to {least}");
                }
            }
        }

        if (query.ContainsKey("sinceSeconds") && query.ContainsKey("sinceTime"))
        {
            errors.Forbidden(FieldPath.Of("[]"), "at most one of `sinceTime` or `sinceSeconds` may be specified");
        }

        if (query.ContainsKey("stream"))
        {
            // PodLogsQuerySplitStreams (KEP-3288) is alpha and off.
            errors.Forbidden(FieldPath.Of("stream"), "may not be specified");
        }

        if (errors.Any)
        {
            throw Statuses.Invalid("", "PodLogOptions", context.Info.Name, errors);
        }
    }

    private async Task StreamAsync(RequestContext context, Pod pod)
    {
        var kind = context.Info.Subresource;
        if (pod.Spec.NodeName.Length == 0)
        {
            throw Statuses.BadRequest($"pod {pod.Metadata.Name} does not have a host assigned");
        }

        var path = kind == "portforward"
            ? $"/portForward/{pod.Metadata.Namespace}/{pod.Metadata.Name}{context.Request.QueryString.Value}"
            : $"/{kind}/{pod.Metadata.Namespace}/{pod.Metadata.Name}/{Container(context, pod, forLog: false)}{StreamQuery(context)}";
        var target = new Uri(Locate(pod), path);
        if (!IsUpgrade(context))
        {
            throw Statuses.BadRequest("Upgrade request required");
        }

        if (IsTranslated(context))
        {
            // The newer WebSocket protocols need a translation that is not offered: clients fall back to SPDY on this answer.
            throw Statuses.BadRequest("the WebSocket subprotocol is not supported here; use SPDY/3.1 or v4.channel.k8s.io");
        }

        var backend = await nodes.ConnectAsync(target, context.Aborted).ConfigureAwait(false);
        await UpgradeTunnel.RunAsync(context, backend, target).ConfigureAwait(false);
    }

    /// <summary>A node that is missing is told of as upstream does: by its name, as if it were a Pod's.</summary>
    private Uri Locate(Pod pod) =>
        services.Reader.Get<Node>("", pod.Spec.NodeName) is null ? throw Statuses.NotFound("", "pods", pod.Spec.NodeName) : nodes.Locate(pod.Spec.NodeName);

    private static bool IsUpgrade(RequestContext context) => context.Request.Headers.Connection.ToString().Contains("upgrade", StringComparison.OrdinalIgnoreCase);

    private static bool IsTranslated(RequestContext context)
    {
        var asked = context.Request.Headers["Sec-WebSocket-Protocol"].ToString();
        return asked.Length > 0 && !asked.Contains("v4.channel.k8s.io", StringComparison.Ordinal) && !asked.Contains("v4.base64.channel.k8s.io", StringComparison.Ordinal)
            && (asked.Contains("v5.channel.k8s.io", StringComparison.Ordinal) || asked.Contains("portforward.k8s.io", StringComparison.Ordinal));
    }

    /// <summary>The kubelet's names of the stream flags: input, output, error, tty, command.</summary>
    private static string StreamQuery(RequestContext context)
    {
        var query = new StringBuilder();
        void Add(string name, string value) => query.Append(query.Length == 0 ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        foreach (var (asked, kubelet) in new[] { ("stdin", "input"), ("stdout", "output"), ("stderr", "error"), ("tty", "tty") })
        {
            if (RequestInfoResolver.IsTrue(context.Request.Query[asked]))
            {
                Add(kubelet, "1");
            }
        }

        foreach (var word in context.Request.Query["command"])
        {
            Add("command", word ?? "");
        }

        return query.ToString();
    }

    private static string Container(RequestContext context, Pod pod, bool forLog)
    {
        var spec = pod.Spec;
        var names = (spec.InitContainers ?? []).Select(c => c.Name).Concat((spec.Containers ?? []).Select(c => c.Name)).Concat((spec.EphemeralContainers ?? []).Select(c => c.Name)).ToList();
        var asked = context.Request.Query["container"].ToString();
        if (asked.Length == 0)
        {
            if (pod.Metadata.Annotations?.GetValueOrDefault(DefaultContainer) is { Length: > 0 } preferred && names.Contains(preferred) && !forLog)
            {
                return preferred;
            }

            return spec.Containers is [{ } only] ? only.Name
                : throw Statuses.BadRequest($"a container name must be specified for pod {pod.Metadata.Name}, choose one of: [{string.Join(' ', (spec.Containers ?? []).Select(c => c.Name))}]");
        }

        return names.Contains(asked) ? asked : throw Statuses.BadRequest($"container {asked} is not valid for pod {pod.Metadata.Name}");
    }

    private async Task AdmitAsync(RequestContext context, Pod pod)
    {
        var attributes = new AdmissionAttributes
        {
            Operation = AdmissionOperation.Connect,
            Group = "",
            Version = "v1",
            Resource = "pods",
            Subresource = context.Info.Subresource,
            Kind = context.Info.Subresource switch { "exec" => "PodExecOptions", "attach" => "PodAttachOptions", _ => "PodPortForwardOptions" },
            Namespace = pod.Metadata.Namespace,
            Name = pod.Metadata.Name,
            User = context.User,
            Context = context,
        };
        await services.Parts.Admission.AdmitAsync(attributes, context.Aborted).ConfigureAwait(false);
        await services.Parts.Admission.ValidateAsync(attributes, context.Aborted).ConfigureAwait(false);
    }
}
