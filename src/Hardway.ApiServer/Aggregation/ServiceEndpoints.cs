using System.Net;
using System.Security.Cryptography;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Aggregation;

/// <summary>What was looked for and not found at a Service, in the words of an APIService's condition.</summary>
internal sealed record ServiceFault(string Reason, string Message);

/// <summary>
/// Where a Service's port is to be reached from this server: at one of its ready endpoints, as servers have routes to Pods but no Service addresses.
/// </summary>
internal static class ServiceEndpoints
{
    /// <summary>Host and port to connect to; of an ExternalName Service its name. Null with the fault where there is none.</summary>
    public static EndPoint? Find(IResourceReader reader, string ns, string name, int port, out ServiceFault? fault)
    {
        fault = null;
        if (reader.Get<Service>(ns, name) is not { } service)
        {
            fault = new ServiceFault("ServiceNotFound", $"service/{name} in \"{ns}\" is not present");
            return null;
        }

        if (service.Spec.Type == "ExternalName")
        {
            return new DnsEndPoint(service.Spec.ExternalName, port);
        }

        if (service.Spec.Ports?.Find(p => p.Port == port) is not { } wanted)
        {
            fault = new ServiceFault("ServicePortError", $"service/{name} in \"{ns}\" is not listening on port {port}");
            return null;
        }

        var slices = reader.List<EndpointSlice>(ns).Where(s => s.Metadata.Labels?.GetValueOrDefault("kubernetes.io/service-name") == name).ToList();
        if (slices.Count == 0)
        {
            fault = new ServiceFault("EndpointsNotFound", $"cannot find endpointslices for service/{name} in \"{ns}\"");
            return null;
        }

        var ready = new List<IPEndPoint>();
        foreach (var slice in slices)
        {
            if (slice.Ports?.Find(p => (p.Name ?? "") == wanted.Name)?.Port is { } target)
            {
                ready.AddRange((slice.Endpoints ?? []).Where(e => e.Conditions.Ready != false).SelectMany(e => e.Addresses ?? []).Where(a => IPAddress.TryParse(a, out _)).Select(a => new IPEndPoint(IPAddress.Parse(a), target)));
            }
        }

        if (ready.Count > 0)
        {
            return ready[RandomNumberGenerator.GetInt32(ready.Count)];
        }

        fault = new ServiceFault("MissingEndpoints", $"endpoints for service/{name} in \"{ns}\" have no addresses with port name \"{wanted.Name}\"");
        return null;
    }
}
