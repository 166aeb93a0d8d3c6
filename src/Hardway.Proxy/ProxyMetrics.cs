using Hardway.Hosting;

namespace Hardway.Proxy;

/// <summary>Upstream's main kube-proxy metrics.</summary>
internal sealed class ProxyMetrics(Metrics metrics)
{
    public Histogram SyncDuration { get; } = metrics.Histogram("kubeproxy_sync_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds", null, "ip_family");
    public Histogram FullSyncDuration { get; } = metrics.Histogram("kubeproxy_sync_full_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds for full resyncs", null, "ip_family");
    public Histogram PartialSyncDuration { get; } = metrics.Histogram("kubeproxy_sync_partial_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds for partial resyncs", null, "ip_family");
    public Gauge LastSync { get; } = metrics.Gauge("kubeproxy_sync_proxy_rules_last_timestamp_seconds", "The last time proxy rules were successfully synced", "ip_family");
    public Gauge LastQueued { get; } = metrics.Gauge("kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds", "The last time a sync of proxy rules was queued");
    public Counter ServiceChanges { get; } = metrics.Counter("kubeproxy_sync_proxy_rules_service_changes_total", "Cumulative proxy rules Service changes");
    public Counter EndpointChanges { get; } = metrics.Counter("kubeproxy_sync_proxy_rules_endpoint_changes_total", "Cumulative proxy rules Endpoints changes");
    public Counter Failures { get; } = metrics.Counter("kubeproxy_sync_proxy_rules_nftables_sync_failures_total", "Cumulative proxy nftables sync failures", "ip_family");
    public Counter FlowsDeleted { get; } = metrics.Counter("kubeproxy_conntrack_reconciler_deleted_entries_total", "Cumulative conntrack flows deleted by conntrack reconciler", "ip_family");
    public Gauge NoLocalEndpointsExternal { get; } = metrics.Gauge("kubeproxy_sync_proxy_rules_no_local_endpoints", "Number of services with a Local traffic policy and no endpoints", "traffic_policy");
}
