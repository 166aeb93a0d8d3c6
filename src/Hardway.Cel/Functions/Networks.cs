using System.Net;
using System.Net.Sockets;

namespace Hardway.Cel.Functions;

/// <summary>An address.</summary>
internal sealed record IpValue(IPAddress Address) : ICelObject
{
    public string TypeName => "net.IP";

    public static IpValue? TryParse(string text) =>
        !text.Contains('%', StringComparison.Ordinal) && IPAddress.TryParse(text, out var ip) && !ip.IsIPv4MappedToIPv6
        && (ip.AddressFamily == AddressFamily.InterNetworkV6 ? !text.Contains('[', StringComparison.Ordinal) : IsDotted(text)) ? new IpValue(ip) : null;

    public bool TryGetField(string name, out object? value)
    {
        value = null;
        return false;
    }

    public bool TryCall(string name, object?[] arguments, CelBudget budget, out object? result)
    {
        var bytes = Address.GetAddressBytes();
        var is4 = Address.AddressFamily == AddressFamily.InterNetwork;
        result = arguments.Length > 0 ? null : name switch
        {
            "family" => is4 ? 4L : 6L,
            "isUnspecified" => bytes.All(b => b == 0),
            "isLoopback" => IPAddress.IsLoopback(Address),
            "isLinkLocalMulticast" => is4 ? bytes is [224, 0, 0, _] : bytes[0] == 0xff && (bytes[1] & 0x0f) == 2,
            "isLinkLocalUnicast" => is4 ? bytes is [169, 254, ..] : Address.IsIPv6LinkLocal,
            "isGlobalUnicast" => !bytes.All(b => b == 0) && !IPAddress.IsLoopback(Address) && !(is4 ? bytes[0] >= 224 || bytes is [169, 254, ..] : bytes[0] == 0xff || Address.IsIPv6LinkLocal),
            _ => null,
        };
        return result is not null;
    }

    /// <summary>Four numbers without leading zeroes, which some read as octal.</summary>
    private static bool IsDotted(string text)
    {
        var parts = text.Split('.');
        return parts.Length == 4 && parts.All(p => p.Length is > 0 and <= 3 && p.All(char.IsAsciiDigit) && (p.Length == 1 || p[0] != '0'));
    }
}

/// <summary>A network.</summary>
internal sealed record CidrValue(IPAddress Address, int Length) : ICelObject
{
    public string TypeName => "net.CIDR";

    public static CidrValue? TryParse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || IpValue.TryParse(text[..slash]) is not { } ip || text.Length - slash > 4 || !int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var length))
        {
            return null;
        }

        return length <= ip.Address.GetAddressBytes().Length * 8 ? new CidrValue(ip.Address, length) : null;
    }

    public override string ToString() => $"{Address}/{Length}";

    public bool TryGetField(string name, out object? value)
    {
        value = null;
        return false;
    }

    public bool TryCall(string name, object?[] arguments, CelBudget budget, out object? result)
    {
        result = (name, arguments) switch
        {
            ("ip", []) => new IpValue(Address),
            ("prefixLength", []) => (long)Length,
            ("masked", []) => this with { Address = new IPAddress(Mask(Address)) },
            ("containsIP", [IpValue ip]) => Contains(ip.Address),
            ("containsIP", [string text]) => Contains((IpValue.TryParse(text) ?? throw new CelException($"IP Address '{text}' parse error")).Address),
            ("containsCIDR", [CidrValue other]) => other.Length >= Length && Contains(other.Address),
            ("containsCIDR", [string text]) => TryParse(text) is { } other ? other.Length >= Length && Contains(other.Address) : throw new CelException($"CIDR '{text}' parse error"),
            _ => null,
        };
        return result is not null;
    }

    private bool Contains(IPAddress address) => address.AddressFamily == Address.AddressFamily && Mask(address).AsSpan().SequenceEqual(Mask(Address));

    private byte[] Mask(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var bits = Math.Clamp(Length - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xff << (8 - bits));
        }

        return bytes;
    }
}

/// <summary>A URL, absolute or a path from the root.</summary>
internal sealed record UrlValue(Uri Uri, string Text) : ICelObject
{
    public string TypeName => "kubernetes.URL";

    private bool IsPath => Text.StartsWith('/');

    public static UrlValue? TryParse(string text)
    {
        if (text.StartsWith('/'))
        {
            return Uri.TryCreate("path://x" + text, UriKind.Absolute, out var path) ? new UrlValue(path, text) : null;
        }

        return text.Contains("://", StringComparison.Ordinal) && Uri.TryCreate(text, UriKind.Absolute, out var url) ? new UrlValue(url, text) : null;
    }

    public bool TryGetField(string name, out object? value)
    {
        value = null;
        return false;
    }

    public bool TryCall(string name, object?[] arguments, CelBudget budget, out object? result)
    {
        result = arguments.Length > 0 ? null : name switch
        {
            "getScheme" => IsPath ? "" : Uri.Scheme,
            "getHost" => IsPath ? "" : Authority,
            "getHostname" => IsPath ? "" : Uri.Host.Trim('[', ']'),
            "getPort" => IsPath || Authority.EndsWith(Uri.Host, StringComparison.OrdinalIgnoreCase) ? "" : Uri.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            "getEscapedPath" => Text.Split('?', '#')[0] is var start && IsPath ? start : Uri.AbsolutePath is "/" && !start.EndsWith('/') ? "" : Uri.AbsolutePath,
            "getQuery" => Query(),
            _ => null,
        };
        return result is not null;
    }

    /// <summary>Host and port as they are written.</summary>
    private string Authority
    {
        get
        {
            var rest = Text[(Text.IndexOf("://", StringComparison.Ordinal) + 3)..];
            var end = rest.IndexOfAny(['/', '?', '#']);
            var authority = end < 0 ? rest : rest[..end];
            return authority[(authority.LastIndexOf('@') + 1)..];
        }
    }

    private Dictionary<string, object?> Query()
    {
        var all = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var pair in Uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            var key = Uri.UnescapeDataString((equals < 0 ? pair : pair[..equals]).Replace('+', ' '));
            var value = equals < 0 ? "" : Uri.UnescapeDataString(pair[(equals + 1)..].Replace('+', ' '));
            ((List<object?>)(all.TryGetValue(key, out var list) ? list! : all[key] = new List<object?>())).Add(value);
        }

        return all;
    }
}

internal static class Networks
{
    private static readonly string[] s_methods = ["family", "isUnspecified", "isLoopback", "isLinkLocalMulticast", "isLinkLocalUnicast", "isGlobalUnicast", "ip", "prefixLength", "masked", "getScheme", "getHost", "getHostname", "getPort", "getEscapedPath", "getQuery"];

    public static void AddTo(FunctionTable table)
    {
        table.AddGlobal("ip", 1, (a, _) => a[0] is string s ? IpValue.TryParse(s) ?? throw new CelException($"IP Address '{s}' parse error during conversion from string") : throw CelException.NoOverload("ip"));
        table.AddGlobal("isIP", 1, (a, _) => a[0] is string s ? IpValue.TryParse(s) is not null : throw CelException.NoOverload("isIP"));
        table.AddGlobal("ip.isCanonical", 1, (a, _) => a[0] is string s ? (IpValue.TryParse(s) ?? throw new CelException($"IP Address '{s}' parse error")).Address.ToString() == s : throw CelException.NoOverload("ip.isCanonical"));
        table.AddGlobal("cidr", 1, (a, _) => a[0] is string s ? CidrValue.TryParse(s) ?? throw new CelException($"network address parse error during conversion from string: '{s}'") : throw CelException.NoOverload("cidr"));
        table.AddGlobal("isCIDR", 1, (a, _) => a[0] is string s ? CidrValue.TryParse(s) is not null : throw CelException.NoOverload("isCIDR"));
        table.AddGlobal("url", 1, (a, _) => a[0] is string s ? UrlValue.TryParse(s) ?? throw new CelException($"URL parse error during conversion from string: '{s}'") : throw CelException.NoOverload("url"));
        table.AddGlobal("isURL", 1, (a, _) => a[0] is string s ? UrlValue.TryParse(s) is not null : throw CelException.NoOverload("isURL"));

        // The objects answer these themselves; anything else has no such method.
        foreach (var name in s_methods)
        {
            table.AddMethod(name, 0, (_, _) => throw CelException.NoOverload(name));
        }

        table.AddMethod("containsIP", 1, (_, _) => throw CelException.NoOverload("containsIP"));
        table.AddMethod("containsCIDR", 1, (_, _) => throw CelException.NoOverload("containsCIDR"));
    }
}
