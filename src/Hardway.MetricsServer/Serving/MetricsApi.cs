using System.Globalization;
using System.Text;
using Hardway.Api;
using Hardway.Api.Authorization.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Api.Metrics.V1Beta1;
using Hardway.Client;
using Hardway.MetricsServer.Scraping;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Hardway.MetricsServer.Serving;

/// <summary>
/// metrics.k8s.io/v1beta1: nodes and pods, get and list, with label selectors, and the discovery that goes with them. What was not measured yet is left out of lists and not
/// found by name.
/// </summary>
internal sealed partial class MetricsApi(UsageStore usage, Informer<Node> nodes, Informer<Pod> pods, RequestGuard guard, TimeProvider time, ILogger log)
{
    public const string Group = "metrics.k8s.io", Version = "v1beta1", GroupVersion = Group + "/" + Version, Root = "/apis/" + GroupVersion;

    public async Task HandleAsync(HttpContext context)
    {
        try
        {
            await RouteAsync(context, (context.Request.Path.Value ?? "/").TrimEnd('/'));
        }
        catch (FormatException e)
        {
            await FailAsync(context, StatusCodes.Status400BadRequest, "BadRequest", e.Message);
        }
        catch (Exception e) when (e is ApiException or HttpRequestException)
        {
            LogFailed(log, context.Request.Path, e.Message);
            await FailAsync(context, StatusCodes.Status500InternalServerError, "InternalError", "the API server could not be asked who this is: " + e.Message);
        }
    }

    private async Task RouteAsync(HttpContext context, string path)
    {
        var parts = path.StartsWith(Root + "/", StringComparison.Ordinal) ? path[(Root.Length + 1)..].Split('/') : [];
        var target = Target(parts);
        if (await guard.RefuseAsync(context, target) is var (status, reason))
        {
            await FailAsync(context, status, status == StatusCodes.Status401Unauthorized ? "Unauthorized" : "Forbidden", reason);
            return;
        }
        if (target == null)
            await (Discovery(path) is { } document ? AnswerAsync(context, Encoding.UTF8.GetBytes(document)) : FailAsync(context, StatusCodes.Status404NotFound, "NotFound", $"{path} is not served here"));
        else if (context.Request.Method != HttpMethods.Get)
            await FailAsync(context, StatusCodes.Status405MethodNotAllowed, "MethodNotAllowed", "metrics are only read");
        else if (target.Resource == "nodes")
            await NodesAsync(context, target.Name);
        else
            await PodsAsync(context, target.Namespace, target.Name);
    }

    /// <summary>Which resource a path names; null for none.</summary>
    internal static ResourceAttributes? Target(string[] parts) => parts switch
    {
        ["nodes"] => Attributes("list", "nodes", "", ""),
        ["nodes", var name] => Attributes("get", "nodes", "", name),
        ["pods"] => Attributes("list", "pods", "", ""),
        ["namespaces", var ns, "pods"] => Attributes("list", "pods", ns, ""),
        ["namespaces", var ns, "pods", var name] => Attributes("get", "pods", ns, name),
        _ => null,
    };

    private static ResourceAttributes Attributes(string verb, string resource, string ns, string name) => new() { Verb = verb, Group = Group, Version = Version, Resource = resource, Namespace = ns, Name = name };

    private static string? Discovery(string path)
    {
        const string version = $$"""{ "groupVersion": "{{GroupVersion}}", "version": "{{Version}}" }""";
        const string group = $$"""{ "kind": "APIGroup", "apiVersion": "v1", "name": "{{Group}}", "versions": [{{version}}], "preferredVersion": {{version}} }""";
        return path switch
        {
            "/apis" => $$"""{ "kind": "APIGroupList", "apiVersion": "v1", "groups": [{{group}}] }""",
            "/apis/" + Group => group,
            Root => $$"""
                {
                  "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "{{GroupVersion}}",
                  "resources": [
                    { "name": "nodes", "singularName": "", "namespaced": false, "kind": "NodeMetrics", "verbs": ["get", "list"] },
                    { "name": "pods", "singularName": "", "namespaced": true, "kind": "PodMetrics", "verbs": ["get", "list"] }
                  ]
                }
                """,
            _ => null,
        };
    }

    private Task NodesAsync(HttpContext context, string name)
    {
        if (name.Length > 0)
            return nodes.Store.Get("", name) is { } node && Of(node) is { } one ? AnswerAsync(context, one) : NotFoundAsync(context, "nodes", name);
        var selector = Selector.Parse(context.Request.Query["labelSelector"]);
        var list = new NodeMetricsList { Kind = "NodeMetricsList", ApiVersion = GroupVersion, Items = [.. nodes.Store.List().Where(n => selector.Matches(n.Metadata.Labels)).Select(Of).OfType<NodeMetrics>().OrderBy(n => n.Metadata.Name, StringComparer.Ordinal)] };
        return AnswerAsync(context, list);
    }

    private Task PodsAsync(HttpContext context, string ns, string name)
    {
        if (name.Length > 0)
            return pods.Store.Get(ns, name) is { } pod && Of(pod) is { } one ? AnswerAsync(context, one) : NotFoundAsync(context, "pods", $"{ns}/{name}");
        var selector = Selector.Parse(context.Request.Query["labelSelector"]);
        var found = pods.Store.List().Where(p => (ns.Length == 0 || p.Metadata.Namespace == ns) && selector.Matches(p.Metadata.Labels));
        var list = new PodMetricsList { Kind = "PodMetricsList", ApiVersion = GroupVersion, Items = [.. found.Select(Of).OfType<PodMetrics>().OrderBy(p => p.Metadata.Namespace, StringComparer.Ordinal).ThenBy(p => p.Metadata.Name, StringComparer.Ordinal)] };
        return AnswerAsync(context, list);
    }

    private NodeMetrics? Of(Node node)
    {
        if (usage.Node(node.Metadata.Name) is not { } used)
            return null;
        return new NodeMetrics { Kind = "NodeMetrics", ApiVersion = GroupVersion, Metadata = About(node.Metadata), Timestamp = Seconds(used.Time), Window = used.Window, Usage = Amounts(used) };
    }

    private PodMetrics? Of(Pod pod)
    {
        if (pod.Spec.NodeName.Length == 0 || pod.Status.Phase is "Succeeded" or "Failed" || usage.Pod(pod.Spec.NodeName, $"{pod.Metadata.Namespace}/{pod.Metadata.Name}") is not { Count: > 0 } containers)
            return null;
        return new PodMetrics
        {
            Kind = "PodMetrics",
            ApiVersion = GroupVersion,
            Metadata = About(pod.Metadata),
            Timestamp = Seconds(containers.Max(c => c.Usage.Time)),
            Window = containers.Min(c => c.Usage.Window),
            Containers = [.. containers.Select(c => new ContainerMetrics { Name = c.Name, Usage = Amounts(c.Usage) })],
        };
    }

    private ObjectMeta About(ObjectMeta source) => new() { Name = source.Name, Namespace = source.Namespace, Labels = source.Labels, CreationTimestamp = Seconds(time.GetUtcNow()) };

    internal static Dictionary<string, Quantity> Amounts(Usage used) => new(StringComparer.Ordinal)
    {
        ["cpu"] = Quantity.Parse(((long)(used.Cores * 1e9)).ToString(CultureInfo.InvariantCulture) + "n"),
        ["memory"] = Quantity.FromBytes((long)used.MemoryBytes / 1024 * 1024),
    };

    private static DateTimeOffset Seconds(DateTimeOffset time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerSecond));

    private static Task NotFoundAsync(HttpContext context, string resource, string name) => FailAsync(context, StatusCodes.Status404NotFound, "NotFound", $"no metrics known for {resource} \"{name}\"");

    private static Task FailAsync(HttpContext context, int code, string reason, string message)
    {
        context.Response.StatusCode = code;
        return AnswerAsync(context, new Status { Kind = "Status", ApiVersion = "v1", StatusValue = "Failure", Reason = reason, Message = message, Code = code });
    }

    private static Task AnswerAsync(HttpContext context, ApiStruct value) => AnswerAsync(context, ApiJson.Serialize(value));

    private static async Task AnswerAsync(HttpContext context, ReadOnlyMemory<byte> json)
    {
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(json, context.RequestAborted);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} could not be answered: {Reason}")]
    private static partial void LogFailed(ILogger log, string path, string reason);
}
