using System.Globalization;
using Hardway.Api.Core.V1;

namespace Hardway.Kubelet.Sources;

/// <summary>The environment variables by which containers find Services: NAME_SERVICE_HOST and the older docker-link forms. Pure.</summary>
internal static class ServiceVariables
{
    /// <summary>The Pod's namespace's Services (when it wants links), and always the API server's.</summary>
    public static Dictionary<string, string> For(string ns, bool links, IEnumerable<Service> services)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        var chosen = services.Where(s => s.Spec.ClusterIP.Length > 0 && s.Spec.ClusterIP != "None")
            .Where(s => (links && s.Metadata.Namespace == ns) || s.Metadata is { Namespace: "default", Name: "kubernetes" })
            // The own namespace's Service of a name wins.
            .OrderBy(s => s.Metadata.Namespace == ns ? 0 : 1);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var service in chosen)
        {
            if (seen.Add(service.Metadata.Name))
                Add(result, service);
        }
        return result;
    }

    private static void Add(Dictionary<string, string> variables, Service service)
    {
        var ports = service.Spec.Ports ?? [];
        if (ports.Count == 0)
            return;
        var name = service.Metadata.Name.ToUpperInvariant().Replace('-', '_');
        var ip = service.Spec.ClusterIP;
        variables[name + "_SERVICE_HOST"] = ip;
        variables[name + "_SERVICE_PORT"] = Number(ports[0].Port);
        foreach (var port in ports.Where(p => p.Name.Length > 0))
            variables[$"{name}_SERVICE_PORT_{port.Name.ToUpperInvariant().Replace('-', '_')}"] = Number(port.Port);
        for (var i = 0; i < ports.Count; i++)
        {
            var port = ports[i];
            var protocol = port.Protocol.Length > 0 ? port.Protocol : "TCP";
            var number = Number(port.Port);
            var url = $"{protocol.ToLowerInvariant()}://{(ip.Contains(':', StringComparison.Ordinal) ? $"[{ip}]" : ip)}:{number}";
            if (i == 0)
                variables[name + "_PORT"] = url;
            var prefix = $"{name}_PORT_{number}_{protocol.ToUpperInvariant()}";
            variables[prefix] = url;
            variables[prefix + "_PROTO"] = protocol.ToLowerInvariant();
            variables[prefix + "_PORT"] = number;
            variables[prefix + "_ADDR"] = ip;
        }
    }

    private static string Number(int port) => port.ToString(CultureInfo.InvariantCulture);
}
