using System.Security.Cryptography;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Handlers;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Kubelets;

/// <summary>The proxy subresource of nodes, Pods and Services: [SCHEME:]NAME[:PORT]/proxy/PATH.</summary>
internal sealed class ProxyHandler(ApiServices services, NodeConnector nodes) : IConnectHandler
{
    public bool Handles(string resource, string subresource) => subresource == "proxy" && resource is "pods" or "services" or "nodes";

    public async Task HandleAsync(RequestContext context, ServedResource resource)
    {
        var (scheme, name, port) = Split(context.Info.Name);
        var origin = resource.Info.Plural switch
        {
            "nodes" => Node(name, port),
            "pods" => Pod(context, scheme, name, port),
            _ => Service(context, scheme, name, port),
        };
        var rest = context.Info.Rest.Length == 0 ? "/" : context.Info.Rest;
        var target = new Uri(origin, rest + context.Request.QueryString.Value);
        if (context.Request.Headers.Upgrade.Count > 0)
        {
            await UpgradeTunnel.RunAsync(context, await nodes.ConnectAsync(target, context.Aborted).ConfigureAwait(false), target).ConfigureAwait(false);
            return;
        }

        using var invoker = nodes.Invoker();
        await HttpForwarder.ForwardAsync(context, invoker, target, flushAlways: true).ConfigureAwait(false);
    }

    private static (string Scheme, string Name, string Port) Split(string text)
    {
        var parts = text.Split(':');
        return parts.Length switch
        {
            1 => ("http", parts[0], ""),
            2 => ("http", parts[0], parts[1]),
            3 when parts[0] is "http" or "https" or "" => (parts[0].Length == 0 ? "http" : parts[0], parts[1], parts[2]),
            _ => throw Statuses.BadRequest($"invalid proxy request \"{text}\": expected [SCHEME:]NAME[:PORT]"),
        };
    }

    private Uri Node(string name, string port)
    {
        var kubelet = nodes.Locate(name);
        if (port.Length == 0 || port == kubelet.Port.ToString(System.Globalization.CultureInfo.InvariantCulture))
        {
            return kubelet;
        }

        return new UriBuilder("http", kubelet.DnsSafeHost, Number(port)).Uri;
    }

    private Uri Pod(RequestContext context, string scheme, string name, string port)
    {
        var pod = services.Reader.Get<Pod>(context.Info.Namespace, name) ?? throw Statuses.NotFound("", "pods", name);
        if (pod.Status.PodIP.Length == 0)
        {
            throw Statuses.BadRequest("address not allowed");
        }

        var number = port.Length > 0 ? Number(port) : (pod.Spec.Containers ?? []).SelectMany(c => c.Ports ?? []).FirstOrDefault()?.ContainerPortValue ?? 80;
        return new UriBuilder(scheme, pod.Status.PodIP, number).Uri;
    }

    private Uri Service(RequestContext context, string scheme, string name, string port)
    {
        var ns = context.Info.Namespace;
        var service = services.Reader.Get<Service>(ns, name) ?? throw Statuses.NotFound("", "services", name);
        var wanted = port.Length == 0 ? (service.Spec.Ports is [{ } only] ? only : null)
            : service.Spec.Ports?.Find(p => p.Name == port || p.Port.ToString(System.Globalization.CultureInfo.InvariantCulture) == port);
        if (wanted is null)
        {
            throw Statuses.ServiceUnavailable($"no service port \"{port}\" found for service \"{name}\"");
        }

        var ends = new List<(string Address, int Port)>();
        foreach (var slice in services.Reader.List<EndpointSlice>(ns).Where(s => s.Metadata.Labels?.GetValueOrDefault("kubernetes.io/service-name") == name))
        {
            if (slice.Ports?.Find(p => (p.Name ?? "") == wanted.Name)?.Port is { } number)
            {
                ends.AddRange((slice.Endpoints ?? []).Where(e => e.Conditions.Ready != false).SelectMany(e => e.Addresses ?? []).Select(a => (a, number)));
            }
        }

        if (ends.Count == 0)
        {
            throw Statuses.ServiceUnavailable($"no endpoints available for service \"{name}\"");
        }

        var (address, target) = ends[RandomNumberGenerator.GetInt32(ends.Count)];
        return new UriBuilder(scheme, address, target).Uri;
    }

    private static int Number(string port) => int.TryParse(port, out var number) && number is > 0 and < 65536 ? number : throw Statuses.BadRequest($"\"{port}\" is not a port");
}
