using System.Net;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Dns.Records;

namespace Hardway.Dns;

/// <summary>From the API's objects to what DNS needs of them. Pure. Names and addresses that are none are left out.</summary>
internal static class ServiceReader
{
    public static ServiceRecord Record(Service service)
    {
        var spec = service.Spec;
        var external = spec.Type == "ExternalName";
        List<string> addresses = spec.ClusterIPs is { Count: > 0 } all ? all : [spec.ClusterIP];
        return new ServiceRecord(new(service.Metadata.Namespace, service.Metadata.Name))
        {
            ExternalName = external ? spec.ExternalName : null,
            Headless = !external && spec.ClusterIP == "None",
            ClusterIPs = external ? [] : Addresses(addresses),
            Ports = [.. (spec.Ports ?? []).Select(p => new PortRecord(p.Name, p.Protocol.Length == 0 ? "TCP" : p.Protocol, p.Port))],
        };
    }

    /// <summary>The ready addresses of a slice. Slices of a Service that publishes addresses early say ready of all of them.</summary>
    public static IEnumerable<EndpointRecord> Endpoints(EndpointSlice slice)
    {
        List<PortRecord> ports = [.. (slice.Ports ?? []).Where(p => p.Port is not null).Select(p => new PortRecord(p.Name ?? "", p.Protocol ?? "TCP", p.Port!.Value))];
        foreach (var endpoint in slice.Endpoints ?? [])
        {
            if (endpoint.Conditions.Ready ?? true)
            {
                foreach (var address in Addresses(endpoint.Addresses))
                {
                    yield return new EndpointRecord(address, endpoint.Hostname, ports);
                }
            }
        }
    }

    private static List<IPAddress> Addresses(IEnumerable<string>? texts)
    {
        var found = new List<IPAddress>();
        foreach (var text in texts ?? [])
        {
            if (IPAddress.TryParse(text, out var address))
            {
                found.Add(address);
            }
        }

        return found;
    }
}
