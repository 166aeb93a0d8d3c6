namespace Hardway.Dns.Wire;

/// <summary>RR types by number (IANA). Numbers without a name here pass through as they are.</summary>
internal static class DnsType
{
    public const ushort A = 1, Ns = 2, Cname = 5, Soa = 6, Ptr = 12, Hinfo = 13, Mx = 15, Txt = 16, Aaaa = 28, Srv = 33, Opt = 41;
    public const ushort Ixfr = 251, Axfr = 252, Any = 255;

    public static string Name(ushort type) => type switch
    {
        A => "A",
        Ns => "NS",
        Cname => "CNAME",
        Soa => "SOA",
        Ptr => "PTR",
        Hinfo => "HINFO",
        Mx => "MX",
        Txt => "TXT",
        Aaaa => "AAAA",
        Srv => "SRV",
        Any => "ANY",
        _ => "other",
    };
}

internal static class DnsClass
{
    public const ushort In = 1, Any = 255;
}

/// <summary>Response codes; those above 15 need EDNS (RFC 6891).</summary>
internal enum DnsRcode
{
    NoError = 0,
    FormErr = 1,
    ServFail = 2,
    NxDomain = 3,
    NotImp = 4,
    Refused = 5,
    BadVers = 16,
}
