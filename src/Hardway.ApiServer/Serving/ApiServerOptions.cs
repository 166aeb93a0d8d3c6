using System.Net;
using Hardway.ApiServer.Admission;
using Hardway.ApiServer.Audit;
using Hardway.ApiServer.Authentication;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Registry;
using Hardway.Hosting;

namespace Hardway.ApiServer.Serving;

/// <summary>kube-apiserver's command line, in upstream's flags. Frozen once the server starts.</summary>
internal sealed class ApiServerOptions
{
    private Dictionary<string, string> _runtimeConfig = [];
    private Dictionary<string, string> _gates = [];

    public AuthenticationOptions Authentication { get; } = new();

    public AuthorizationOptions Authorization { get; } = new();

    public AdmissionOptions Admission { get; } = new();

    public AuditOptions Audit { get; } = new();

    public IPAddress BindAddress { get; set; } = IPAddress.Any;

    public int SecurePort { get; set; } = 6443;

    public IPAddress? AdvertiseAddress { get; set; }

    public string ExternalHostname { get; set; } = "";

    public TlsOptions Tls { get; } = new();

    /// <summary>How often a client on HTTP/2 is told to connect anew, so that clients spread over servers.</summary>
    public double GoAwayChance { get; set; }

    public string StrictTransportSecurity { get; set; } = "";

    public int StreamsPerConnection { get; set; } = 1000;

    public string CertDir { get; set; } = "/var/run/kubernetes";

    public IReadOnlyList<string> EtcdServers { get; set; } = [];

    public string EtcdCaFile { get; set; } = "";

    public string EtcdCertFile { get; set; } = "";

    public string EtcdKeyFile { get; set; } = "";

    public string EncryptionConfigFile { get; set; } = "";

    public bool ReloadEncryption { get; set; }

    public TimeSpan CompactionInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Where the embedded store is kept when there are no --etcd-servers.</summary>
    public string DataDir { get; set; } = "/var/lib/kubernetes/store";

    /// <summary>
    /// How built-in kinds are written. JSON by default: it is what is served, so nothing is encoded twice; every API server reads both.
    /// </summary>
    public string StorageMediaType { get; set; } = "application/json";

    public TimeSpan EventTtl { get; set; } = TimeSpan.FromHours(1);

    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromMinutes(1);

    public TimeSpan MinRequestTimeout { get; set; } = TimeSpan.FromMinutes(30);

    public TimeSpan ShutdownDelay { get; set; }

    public int MaxRequestsInFlight { get; set; } = 400;

    public int MaxMutatingInFlight { get; set; } = 200;

    public bool PriorityAndFairness { get; set; } = true;

    public string ServiceClusterIpRange { get; set; } = "10.0.0.0/24";

    /// <summary>One range, or one of each IP family, the primary first.</summary>
    internal IReadOnlyList<IPNetwork> ServiceRanges => Allocation.ServiceRanges.TryParse(ServiceClusterIpRange, out var ranges) is { } wrong ? throw new FormatException(wrong) : ranges;

    public (int From, int To) NodePortRange { get; set; } = (30000, 32767);

    public string KubeletClientCertificate { get; set; } = "";

    public string KubeletClientKey { get; set; } = "";

    public string KubeletCertificateAuthority { get; set; } = "";

    public TimeSpan KubeletTimeout { get; set; } = TimeSpan.FromSeconds(5);

    public IReadOnlyList<string> KubeletAddressTypes { get; set; } = ["Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"];

    public string ProxyClientCertFile { get; set; } = "";

    public string ProxyClientKeyFile { get; set; } = "";

    public FeatureGates FeatureGates => new(_gates);

    public RuntimeConfig RuntimeConfig => new(_runtimeConfig, FeatureGates);

    public void AddFlags(FlagSet flags)
    {
        Authentication.AddFlags(flags);
        Authorization.AddFlags(flags);
        Admission.AddFlags(flags);
        Audit.AddFlags(flags);
        AddServing(flags);
        AddStorage(flags);
        AddKubelet(flags);
        AddApi(flags);
        AddInert(flags);
    }

    /// <summary>What does not fit together, one line each.</summary>
    public IEnumerable<string> Problems()
    {
        if (GoAwayChance is < 0 or > 0.02)
        {
            yield return $"--goaway-chance={GoAwayChance} is not between 0 and 0.02";
        }

        if (Allocation.ServiceRanges.TryParse(ServiceClusterIpRange, out _) is { } wrong)
        {
            yield return $"--service-cluster-ip-range={ServiceClusterIpRange}: {wrong}";
        }

        foreach (var problem in Tls.Problems().Concat(RuntimeConfig.Problems()).Concat(FeatureGates.Problems()).Concat(Authentication.Problems()).Concat(Authorization.Problems()).Concat(Admission.Problems()).Concat(Audit.Problems()))
        {
            yield return problem;
        }
    }

    private void AddServing(FlagSet flags)
    {
        flags.Custom("bind-address", "ip", "Address to serve on.", v => Address(v, a => BindAddress = a), "0.0.0.0");
        flags.Custom("advertise-address", "ip", "Address that the kubernetes Service's endpoints have.", v => Address(v, a => AdvertiseAddress = a));
        flags.Int("secure-port", "Port to serve HTTPS on.", v => SecurePort = v, 6443, 0, 65535);
        flags.String("external-hostname", "Host name in URLs that lead here.", v => ExternalHostname = v);
        Tls.AddFlags(flags);
        flags.Float("goaway-chance", "Chance that a request on HTTP/2 makes its client connect anew (and perhaps to another server); at most 0.02.", v => GoAwayChance = v);
        flags.StringList("strict-transport-security-directives", "Directives of the Strict-Transport-Security header.", v => StrictTransportSecurity = string.Join("; ", v));
        flags.Int("http2-max-streams-per-connection", "Requests at once on a connection; 0 for 1000.", v => StreamsPerConnection = v > 0 ? v : 1000, 0, 0);
        flags.String("cert-dir", "Where a serving certificate is made when none is given.", v => CertDir = v, CertDir);
        flags.Duration("request-timeout", "How long an ordinary request may take.", v => RequestTimeout = v, RequestTimeout);
        flags.Int("min-request-timeout", "Seconds that a watch lives at least.", v => MinRequestTimeout = TimeSpan.FromSeconds(v), 1800, 1);
        flags.Int("max-requests-inflight", "Read requests at once; 0 for no limit.", v => MaxRequestsInFlight = v, 400, 0);
        flags.Int("max-mutating-requests-inflight", "Write requests at once; 0 for no limit.", v => MaxMutatingInFlight = v, 200, 0);
        flags.Bool("enable-priority-and-fairness", "Share out room for requests by flow schemas and priority levels; else only bound how many there are.", v => PriorityAndFairness = v, @default: true);
        flags.Duration("shutdown-delay-duration", "How long the server goes on serving, not ready, before it stops.", v => ShutdownDelay = v);
    }

    private void AddStorage(FlagSet flags)
    {
        flags.StringList("etcd-servers", "etcd's endpoints; without them the embedded store is used.", v => EtcdServers = v);
        flags.String("etcd-cafile", "Authority of etcd's certificates.", v => EtcdCaFile = v);
        flags.String("etcd-certfile", "Client certificate for etcd.", v => EtcdCertFile = v);
        flags.String("etcd-keyfile", "Its key.", v => EtcdKeyFile = v);
        flags.Duration("etcd-compaction-interval", "How often history is compacted; 0 never.", v => CompactionInterval = v, CompactionInterval);
        flags.String("encryption-provider-config", "Which resources are encrypted in the store, and how.", v => EncryptionConfigFile = v);
        flags.Bool("encryption-provider-config-automatic-reload", "Look at that file each minute and use what it says now.", v => ReloadEncryption = v);
        flags.String("data-dir", "Where the embedded store is kept (only without --etcd-servers).", v => DataDir = v, DataDir);
        flags.Custom("storage-media-type", "string", "Media type that objects are written to the store in: application/json or application/vnd.kubernetes.protobuf.", SetMediaType, StorageMediaType);
        flags.Duration("event-ttl", "How long Events are kept.", v => EventTtl = v, EventTtl);
    }

    private void AddKubelet(FlagSet flags)
    {
        flags.String("kubelet-client-certificate", "Client certificate towards kubelets.", v => KubeletClientCertificate = v);
        flags.String("kubelet-client-key", "Its key.", v => KubeletClientKey = v);
        flags.String("kubelet-certificate-authority", "Authority of kubelets' serving certificates.", v => KubeletCertificateAuthority = v);
        flags.Duration("kubelet-timeout", "How long a kubelet may take to answer.", v => KubeletTimeout = v, KubeletTimeout);
        flags.StringList("kubelet-preferred-address-types", "Which of a node's addresses are tried, in order.", v => KubeletAddressTypes = v, string.Join(',', KubeletAddressTypes));
        flags.String("proxy-client-cert-file", "Client certificate towards aggregated servers.", v => ProxyClientCertFile = v);
        flags.String("proxy-client-key-file", "Its key.", v => ProxyClientKeyFile = v);
    }

    private void AddApi(FlagSet flags)
    {
        flags.Map("runtime-config", "Which APIs are served: api/all, api/beta, GROUP/VERSION, GROUP/VERSION/RESOURCE, each =true or =false.", v => _runtimeConfig = v.ToDictionary(p => p.Key.Trim('\''), p => p.Value.Trim('\'')));
        flags.Map("feature-gates", "Features that are switched.", v => _gates = v);
        flags.String("service-cluster-ip-range", "Addresses of Services: a range, or one of each IP family with a comma between them.", v => ServiceClusterIpRange = v, ServiceClusterIpRange);
        flags.Custom("service-node-port-range", "range", "Ports of NodePort Services.", SetPorts, "30000-32767");
    }

    private static void AddInert(FlagSet flags)
    {
        flags.Inert("apiserver-count", "storage-backend", "etcd-prefix", "etcd-count-metric-poll-period", "etcd-db-metric-poll-interval", "etcd-healthcheck-timeout",
            "etcd-readycheck-timeout", "etcd-servers-overrides", "delete-collection-workers", "watch-cache-sizes", "default-watch-cache-size", "endpoint-reconciler-type", "max-connection-bytes-per-sec",
            "kubelet-port", "kubelet-read-only-port", "livez-grace-period",
            "service-account-api-audiences", "cors-allowed-origins", "kubernetes-service-node-port", "tracing-config-file", "egress-selector-config-file", "lease-reuse-duration-seconds",
            "emulated-version", "min-compatibility-version", "peer-advertise-ip", "peer-advertise-port", "peer-ca-file", "debug-socket-path", "shutdown-watch-termination-grace-period",
            "storage-initialization-timeout", "target-ram-mb", "disabled-metrics", "show-hidden-metrics-for-version", "allow-metric-labels", "allow-metric-labels-manifest", "tls-curve-preferences", "coordinated-leadership-lease-duration",
            "coordinated-leadership-renew-deadline", "coordinated-leadership-retry-period", "proxy-client-ca-file", "service-account-signing-endpoint", "runtime-config-emulation-forward-compatible");
        flags.InertBools("watch-cache", "profiling", "contention-profiling", "enable-garbage-collector", "enable-aggregator-routing", "enable-logs-handler", "permit-address-sharing",
            "permit-port-sharing", "disable-http2-serving", "allow-privileged", "shutdown-send-retry-after", "aggregator-reject-forwarding-redirects", "debug-unix-socket", "emulation-forward-compatible");
    }

    private static string? Address(string text, Action<IPAddress> set)
    {
        if (!IPAddress.TryParse(text, out var address))
        {
            return "is not an IP address";
        }

        set(address);
        return null;
    }

    private string? SetMediaType(string text)
    {
        StorageMediaType = text;
        return text is "application/json" or Hardway.Api.Protobuf.ApiProtobuf.MediaType ? null : "is neither application/json nor application/vnd.kubernetes.protobuf";
    }

    private string? SetPorts(string text)
    {
        var dash = text.IndexOf('-');
        if (dash < 0 || !int.TryParse(text[..dash], out var from) || !int.TryParse(text[(dash + 1)..], out var to) || from < 1 || to < from || to > 65535)
        {
            return "is not a range such as 30000-32767";
        }

        NodePortRange = (from, to);
        return null;
    }
}
