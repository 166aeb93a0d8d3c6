using System.Net;
using Hardway.Proxy.Model;
using Hardway.Proxy.Nftables;

namespace Hardway.Proxy.Tests;

internal static class ProxySamples
{
    public static NftOptions Options => new()
    {
        Family = NftFamily.V4,
        IfLocal = "ip saddr 10.200.0.0/16",
        IfNotLocal = "ip saddr != 10.200.0.0/16",
    };

    public static Endpoint Local(string address, int port = 8080) => new(IPAddress.Parse(address), port, true);

    public static Endpoint Remote(string address, int port = 8080) => new(IPAddress.Parse(address), port, false);

    public static ServicePort Port(string service, string clusterIP, params Endpoint[] endpoints) => new()
    {
        Name = new("default", service, "http"),
        Protocol = L4Protocol.Tcp,
        Port = 80,
        ClusterIP = IPAddress.Parse(clusterIP),
        ClusterEndpoints = endpoints,
        LocalEndpoints = [.. endpoints.Where(e => e.IsLocal)],
    };

    public static Dictionary<ServicePortName, NftFragment> Fragments(params ServicePort[] ports) =>
        ports.ToDictionary(p => p.Name, p => NftServiceRules.Build(p, Options));
}
