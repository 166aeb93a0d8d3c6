using System.Security.Cryptography.X509Certificates;

namespace Hardway.Grpc;

/// <summary>How to reach one server. Frozen once the channel is made.</summary>
public sealed record GrpcChannelOptions
{
    public GrpcTlsOptions Tls { get; init; } = new();

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The largest message that is accepted from the server.</summary>
    public int MaxReceiveMessageSize { get; init; } = 16 << 20;

    /// <summary>
    /// Idle time after which a connection with calls on it is tested by an HTTP/2 ping; null means no pings. Servers made with
    /// gRPC's Go library close the connection of a client that pings more often than they allow (5 minutes unless set otherwise).
    /// </summary>
    public TimeSpan? KeepAliveInterval { get; init; }

    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Metadata sent with every call.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

}

/// <summary>TLS towards a server with an https address. Without roots of its own the system's roots are trusted.</summary>
public sealed record GrpcTlsOptions
{
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>Certificates sent after the client's own, towards the root.</summary>
    public X509Certificate2Collection? ClientIntermediates { get; init; }

    public X509Certificate2Collection? TrustedRoots { get; init; }

    /// <summary>The name that the server's certificate must carry, when it is not the address's host.</summary>
    public string? ServerName { get; init; }
}
