using System.Net;
using System.Net.Sockets;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules;

/// <summary>
/// IP addresses as the API takes them: dotted quads without leading zeros (10.9.08.7 is none), and IPv6. What .NET takes beside these (10.1, 0x0a000001,
/// scopes, brackets) is refused.
/// </summary>
internal static class IpForms
{
    public static bool TryParse(string text, out IPAddress address)
    {
        address = IPAddress.None;
        if (text.Length > 45 || !(text.Contains(':') ? IsSixShape(text) : IsFourShape(text)) || !IPAddress.TryParse(text, out var parsed))
        {
            return false;
        }

        address = parsed;
        return true;
    }

    public static bool IsSix(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6;

    public static bool Check(ErrorList errors, FieldPath path, string text)
    {
        if (TryParse(text, out _))
        {
            return true;
        }

        errors.Invalid(path, text, "is no IP address (10.9.8.7 or 2001:db8::ffff)");
        return false;
    }

    /// <summary>An address that packets can be sent to from elsewhere.</summary>
    public static void CheckReachable(ErrorList errors, FieldPath path, string text)
    {
        if (!TryParse(text, out var ip))
        {
            errors.Invalid(path, text, "is no IP address");
            return;
        }

        foreach (var (wrong, what) in new[]
        {
            (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any), "unspecified"), (IPAddress.IsLoopback(ip), "in the loopback range"),
            (ip.IsIPv6LinkLocal || ip.GetAddressBytes() is [169, 254, _, _], "in the link-local range"),
            (ip.GetAddressBytes() is [224, 0, 0, _] or [0xff, 0x02, ..], "in the link-local multicast range"),
        })
        {
            if (wrong)
            {
                errors.Invalid(path, text, $"may not be {what}");
            }
        }
    }

    public static bool TryParseRange(string text, out IPNetwork range)
    {
        range = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && TryParse(text[..slash], out var address) && text.Length - slash is 2 or 3 or 4 && text[(slash + 1)..].All(char.IsAsciiDigit)
            && int.TryParse(text[(slash + 1)..], out var length) && length <= (IsSix(address) ? 128 : 32) && IPNetwork.TryParse($"{Masked(address, length)}/{length}", out range);
    }

    /// <summary>.NET takes only ranges whose host bits are zero.</summary>
    private static IPAddress Masked(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] &= (byte)(0xff00 >> Math.Clamp(length - (8 * i), 0, 8));
        }

        return new IPAddress(bytes);
    }

    private static bool IsFourShape(string text)
    {
        var parts = text.Split('.');
        return parts.Length == 4 && parts.All(p => p.Length is > 0 and <= 3 && p.All(char.IsAsciiDigit) && (p.Length == 1 || p[0] != '0'));
    }

    private static bool IsSixShape(string text) => text.All(c => char.IsAsciiHexDigit(c) || c is ':' or '.');
}
