using System.Text;

namespace Hardway.Kubelet.Network;

/// <summary>The /etc/hosts that a Pod's containers see.</summary>
internal static class HostsFile
{
    private const string Header = "# Kubernetes-managed hosts file.\n", HostNetworkHeader = "# Kubernetes-managed hosts file (host network).\n";

    public static string ForPod(IReadOnlyList<string> podIps, string hostName, string domain, IEnumerable<(string Ip, IReadOnlyList<string> Names)> aliases)
    {
        var text = new StringBuilder(Header)
            .Append("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n")
            .Append("fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n");
        foreach (var ip in podIps)
            text.Append(ip).Append('\t').Append(domain.Length > 0 ? $"{hostName}.{domain}\t{hostName}" : hostName).Append('\n');
        return AppendAliases(text, aliases);
    }

    public static string ForHostNetwork(string nodeHosts, IEnumerable<(string Ip, IReadOnlyList<string> Names)> aliases) =>
        AppendAliases(new StringBuilder(HostNetworkHeader).Append(nodeHosts), aliases);

    private static string AppendAliases(StringBuilder text, IEnumerable<(string Ip, IReadOnlyList<string> Names)> aliases)
    {
        var first = true;
        foreach (var (ip, names) in aliases)
        {
            if (first)
                text.Append("\n# Entries added by HostAliases.\n");
            first = false;
            text.Append(ip).Append('\t').AppendJoin('\t', names).Append('\n');
        }
        return text.ToString();
    }
}
