namespace Hardway.Dns.Wire;

/// <summary>Bytes or text that are not the DNS wire or presentation format.</summary>
internal sealed class DnsFormatException : Exception
{
    public DnsFormatException(string message) : base(message) { }

    public DnsFormatException() { }

    public DnsFormatException(string message, Exception inner) : base(message, inner) { }
}
