using Hardway.Dns.Wire;
using Hardway.Hosting;

namespace Hardway.Dns;

/// <summary>The server's metrics, under the names that dashboards for CoreDNS read. Any thread.</summary>
internal sealed class DnsMetrics(Metrics metrics)
{
    private readonly Counter _requests = metrics.Counter("coredns_dns_requests_total", "Counter of DNS requests made per zone, protocol and family.", "proto", "type");
    private readonly Counter _responses = metrics.Counter("coredns_dns_responses_total", "Counter of response status codes.", "rcode");
    private readonly Histogram _duration = metrics.Histogram("coredns_dns_request_duration_seconds", "Histogram of the time (in seconds) each request took.");

    public Counter CacheHits { get; } = metrics.Counter("coredns_cache_hits_total", "The count of cache hits.");
    public Counter CacheMisses { get; } = metrics.Counter("coredns_cache_misses_total", "The count of cache misses.");
    public Counter ForwardRequests { get; } = metrics.Counter("coredns_forward_requests_total", "Counter of requests made per upstream.", "to");
    public Counter ForwardFailures { get; } = metrics.Counter("hardway_dns_forward_failures_total", "Requests that an upstream did not answer.", "to");
    public Counter Malformed { get; } = metrics.Counter("hardway_dns_malformed_total", "Datagrams that are no DNS query.");

    public void Observe(bool udp, ushort type, DnsRcode rcode, TimeSpan took)
    {
        _requests.Inc(udp ? "udp" : "tcp", DnsType.Name(type));
        _responses.Inc(rcode.ToString().ToUpperInvariant());
        _duration.Observe(took);
    }
}
