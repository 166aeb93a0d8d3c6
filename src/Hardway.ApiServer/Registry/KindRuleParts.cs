namespace Hardway.ApiServer.Registry;

/// <summary>Which names a kind takes.</summary>
internal enum NameRule
{
    DnsSubdomain,
    DnsLabel,

    /// <summary>A DNS label that begins with a letter.</summary>
    Dns1035Label,

    /// <summary>Anything that can stand in a path (RBAC's names).</summary>
    PathSegment,

    /// <summary>An IP address in canonical form.</summary>
    IpAddress,
}

/// <summary>
/// A field that selectors can use: its label, the JSON path where its value stands when that differs, and what an absent value reads as.
/// </summary>
internal sealed record SelectableField(string Label, string? Path = null, string Absent = "")
{
    public string JsonPath => Path ?? Label;
}

/// <summary>A column of a Table. Priority 0 is shown always, 1 with -o wide.</summary>
internal sealed record TableColumn(string Name, string Type = "string", int Priority = 0, string Format = "", string? Description = null);
