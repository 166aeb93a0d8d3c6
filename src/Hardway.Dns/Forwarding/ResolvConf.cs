using System.Net;

namespace Hardway.Dns.Forwarding;

/// <summary>The name servers of a resolv.conf. Loopback servers are left out inside a Pod or beside this server: asking them may be asking ourselves.</summary>
internal static class ResolvConf
{
    private const int MaxServers = 15;

    public static List<IPEndPoint> Servers(string text)
    {
        var servers = new List<IPEndPoint>();
        foreach (var line in text.Split('\n'))
        {
            var words = line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (words is ["nameserver", var address, ..] && IPAddress.TryParse(address, out var parsed) && servers.Count < MaxServers)
            {
                servers.Add(new IPEndPoint(parsed, 53));
            }
        }

        return servers;
    }
}
