using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Hardway.Proxy.Model;

namespace Hardway.Proxy.Nftables;

/// <summary>
/// Names of chains and sets: kind, a short hash that makes them unique, then what a reader recognises. At most 120 characters
/// (the kernel allows 127 of a chain), cut at the end: the hash stays.
/// </summary>
internal static class NftNames
{
    private const int MaxLength = 120;
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public static string Service(ServicePort port) => Cut("service-", Base(port));

    public static string External(ServicePort port) => Cut("external-", Base(port));

    public static string Firewall(ServicePort port) => Cut("firewall-", Base(port));

    public static string Endpoint(ServicePort port, Endpoint endpoint) => Cut("endpoint-", EndpointBase(port, endpoint));

    public static string Affinity(ServicePort port, Endpoint endpoint) => Cut("affinity-", EndpointBase(port, endpoint));

    private static string Base(ServicePort port)
    {
        var text = $"{port.Name.Namespace}/{port.Name.Service}/{port.ProtocolName}/{port.Name.Port}";
        return $"{Hash(text)}-{text}";
    }

    private static string EndpointBase(ServicePort port, Endpoint endpoint)
    {
        // A colon ends a token in nft's syntax; addresses of version 6 are written with dots.
        var address = endpoint.Address.ToString().Replace(':', '.');
        var text = $"{port.Name.Namespace}/{port.Name.Service}/{port.ProtocolName}/{port.Name.Port}__{address}/{endpoint.Port}";
        return $"{Hash(text)}-{text}";
    }

    /// <summary>Letters and digits that are different for different texts: five bits of SHA-256 each, 8 where only chance could make two alike.</summary>
    public static string Hash(string text, int length = 8)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return string.Create(length, BinaryPrimitives.ReadUInt128LittleEndian(hash), static (span, bits) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = Base32[(int)(bits >> (5 * i)) & 31];
            }
        });
    }

    /// <summary>Both together, at most as long as the kernel takes.</summary>
    public static string Cut(string prefix, string rest)
    {
        var name = prefix + rest;
        return name.Length <= MaxLength ? name : name[..MaxLength].TrimEnd('-', '.', '/', '_');
    }
}
