using System.Globalization;
using System.Net;
using Hardway.Dns.Wire;

namespace Hardway.Dns.Records;

/// <summary>Addresses written as names: in-addr.arpa and ip6.arpa (RFC 1035 3.5, RFC 3596), and Pod names a-b-c-d.</summary>
internal static class ReverseName
{
    public static IPAddress? Address(DnsName name)
    {
        var labels = name.Labels;
        if (labels.Length < 3 || DnsName.Fold(labels[^1]) != "arpa")
        {
            return null;
        }

        return (DnsName.Fold(labels[^2]), labels.Length) switch
        {
            ("in-addr", 6) => V4(labels),
            ("ip6", 34) => V6(labels),
            _ => null,
        };
    }

    /// <summary>The address in a Pod's name: 10-200-0-7, or for IPv6 with dashes for colons.</summary>
    public static IPAddress? PodAddress(string label)
    {
        if (label.Count(c => c == '-') == 3 && V4Exact(label.Replace('-', '.')) is { } v4)
        {
            return v4;
        }

        return label.Contains('-') && IPAddress.TryParse(label.Replace('-', ':'), out var v6) ? v6 : null;
    }

    private static IPAddress? V4(ReadOnlySpan<string> labels) => V4Exact($"{labels[3]}.{labels[2]}.{labels[1]}.{labels[0]}");

    private static IPAddress? V4Exact(string text) =>
        IPAddress.TryParse(text, out var address) && address.ToString() == text ? address : null;

    private static IPAddress? V6(ReadOnlySpan<string> labels)
    {
        Span<byte> bytes = stackalloc byte[16];
        for (var i = 0; i < 32; i++)
        {
            var label = labels[31 - i];
            if (label.Length != 1 || !byte.TryParse(label, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var nibble))
            {
                return null;
            }

            bytes[i / 2] = (byte)((bytes[i / 2] << 4) | nibble);
        }

        return new IPAddress(bytes);
    }
}
