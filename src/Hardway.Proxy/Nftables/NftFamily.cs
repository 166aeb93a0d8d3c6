namespace Hardway.Proxy.Nftables;

/// <summary>What differs between the tables "ip kube-proxy" and "ip6 kube-proxy".</summary>
internal sealed record NftFamily(string Ip, string AddressType, string Loopback)
{
    public static readonly NftFamily V4 = new("ip", "ipv4_addr", "127.0.0.0/8");
    public static readonly NftFamily V6 = new("ip6", "ipv6_addr", "::1");

    public const string Table = "kube-proxy";

    /// <summary>"ip kube-proxy": how commands name the table.</summary>
    public string TableRef { get; } = $"{Ip} {Table}";
}
