using System.Security.Cryptography;
using System.Text;
using Hardway.Proxy.Model;

namespace Hardway.Proxy.Iptables;

/// <summary>Chain names: a prefix and sixteen characters of a hash (iptables allows 28).</summary>
internal static class IptablesNames
{
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public static string Service(ServicePort port) => "KUBE-SVC-" + Hash(Text(port));

    /// <summary>Traffic policy Local: only this node's endpoints.</summary>
    public static string ServiceLocal(ServicePort port) => "KUBE-SVL-" + Hash(Text(port));

    public static string External(ServicePort port) => "KUBE-EXT-" + Hash(Text(port));

    public static string Firewall(ServicePort port) => "KUBE-FW-" + Hash(Text(port));

    public static string Endpoint(ServicePort port, Endpoint endpoint) => "KUBE-SEP-" + Hash($"{Text(port)}{endpoint.Address}:{endpoint.Port}");

    private static string Text(ServicePort port) => port.Name + port.ProtocolName;

    private static string Hash(string text)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        Span<char> name = stackalloc char[16];
        for (var i = 0; i < name.Length; i++)
        {
            name[i] = Base32[hash[i] & 31];
        }

        return name.ToString();
    }
}
