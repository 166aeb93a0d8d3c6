using Hardway.Grpc;

namespace Hardway.Storage.Etcd;

/// <summary>Where etcd is and how long it is waited for. Defaults fit a cluster in one site.</summary>
public sealed record EtcdOptions
{
    /// <summary>https://HOST:PORT, http://HOST:PORT or unix:///PATH, at least one.</summary>
    public required IReadOnlyList<string> Endpoints { get; init; }

    public GrpcTlsOptions Tls { get; init; } = new();

    /// <summary>The limit of one request with all its tries. etcd itself gives up a proposal after 7 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The limit of one try of a read; then another endpoint is asked.</summary>
    public TimeSpan ReadTryTimeout { get; init; } = TimeSpan.FromSeconds(3);

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long an endpoint that failed is left alone while others work.</summary>
    public TimeSpan DeadTime { get; init; } = TimeSpan.FromSeconds(2);

    internal void Validate()
    {
        if (Endpoints.Count == 0)
        {
            throw new ArgumentException("etcd: no endpoint given; expected at least one https://HOST:PORT");
        }
    }
}
