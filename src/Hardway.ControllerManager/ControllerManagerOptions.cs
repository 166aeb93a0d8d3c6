using Hardway.Client;
using Hardway.Hosting;

namespace Hardway.ControllerManager;

/// <summary>kube-controller-manager's command line, with upstream's names and defaults. Filled once at start, frozen after.</summary>
internal sealed class ControllerManagerOptions
{
    public ServingOptions Serving { get; } = new() { Port = 10257 };
    public LeaderElectionOptions LeaderElection { get; } = new() { ResourceName = "kube-controller-manager" };
    public string Kubeconfig { get; private set; } = "";
    public string AuthenticationKubeconfig { get; private set; } = "";
    public bool UseServiceAccountCredentials { get; private set; }
    public List<string> Controllers { get; private set; } = ["*"];
    public string ClusterName { get; private set; } = "kubernetes";
    public string ClusterCidr { get; private set; } = "";
    public bool AllocateNodeCidrs { get; private set; }
    public int NodeCidrMaskSize { get; private set; } = 24;
    public string ServiceClusterIPRange { get; private set; } = "";
    public string ClusterSigningCertFile { get; private set; } = "";
    public string ClusterSigningKeyFile { get; private set; } = "";
    public TimeSpan ClusterSigningDuration { get; private set; } = TimeSpan.FromHours(8760);
    public string RootCAFile { get; private set; } = "";
    public string ServiceAccountPrivateKeyFile { get; private set; } = "";
    public TimeSpan MinResyncPeriod { get; private set; } = TimeSpan.FromHours(12);
    public TimeSpan NodeMonitorPeriod { get; private set; } = TimeSpan.FromSeconds(5);
    public TimeSpan NodeMonitorGracePeriod { get; private set; } = TimeSpan.FromSeconds(50);
    public TimeSpan NodeStartupGracePeriod { get; private set; } = TimeSpan.FromSeconds(60);
    public double NodeEvictionRate { get; private set; } = 0.1;
    public int TerminatedPodGCThreshold { get; private set; } = 12500;
    public int MaxEndpointsPerSlice { get; private set; } = 100;
    public TimeSpan HpaSyncPeriod { get; private set; } = TimeSpan.FromSeconds(15);
    public double HpaTolerance { get; private set; } = 0.1;
    public TimeSpan HpaDownscaleStabilization { get; private set; } = TimeSpan.FromMinutes(5);
    public TimeSpan HpaCpuInitialization { get; private set; } = TimeSpan.FromMinutes(5);
    public TimeSpan HpaInitialReadinessDelay { get; private set; } = TimeSpan.FromSeconds(30);
    public TimeSpan LegacyTokenCleanUpPeriod { get; private set; } = TimeSpan.FromHours(8760);
    public bool DisableForceDetachOnTimeout { get; private set; }
    public bool EnableGarbageCollector { get; private set; } = true;
    public int NodeCidrMaskSizeV6 { get; private set; } = 64;
    public double SecondaryNodeEvictionRate { get; private set; } = 0.01;
    public double UnhealthyZoneThreshold { get; private set; } = 0.55;
    public int LargeClusterSizeThreshold { get; private set; } = 50;
    public int MirroringMaxEndpointsPerSubset { get; private set; } = 1000;
    public TimeSpan ResourceQuotaSyncPeriod { get; private set; } = TimeSpan.FromMinutes(5);

    /// <summary>Authorities of single signers, by the name in their flags: certificate and key file.</summary>
    public Dictionary<string, (string Certificate, string Key)> SignerFiles { get; } = new(StringComparer.Ordinal);

    /// <summary>--concurrent-NAME-syncs, where given.</summary>
    public Dictionary<string, int> Workers { get; } = new(StringComparer.Ordinal);

    public void AddFlags(FlagSet flags)
    {
        Serving.AddFlags(flags);
        LeaderElection.AddFlags(flags);
        flags.String("kubeconfig", "kubeconfig file to reach the API server with", v => Kubeconfig = v);
        flags.String("authentication-kubeconfig", "kubeconfig to check who reads this component's metrics", v => AuthenticationKubeconfig = v);
        flags.Bool("use-service-account-credentials", "each controller uses a service account of its own", v => UseServiceAccountCredentials = v);
        flags.StringList("controllers", "controllers to run: '*' all that are on by default, 'foo' also foo, '-foo' not foo", v => Controllers = v, "*");
        flags.String("cluster-name", "the cluster's name", v => ClusterName = v, "kubernetes");
        flags.String("cluster-cidr", "range of the Pods' addresses", v => ClusterCidr = v);
        flags.Bool("allocate-node-cidrs", "give each node a Pod range out of --cluster-cidr", v => AllocateNodeCidrs = v);
        flags.Int("node-cidr-mask-size", "size of a node's Pod range, of either family", v => (NodeCidrMaskSize, NodeCidrMaskSizeV6) = (v, v), 24, 8, 128);
        flags.Int("node-cidr-mask-size-ipv4", "size of a node's IPv4 Pod range", v => NodeCidrMaskSize = v, 24, 8, 32);
        flags.String("service-cluster-ip-range", "range of the Services' addresses", v => ServiceClusterIPRange = v);
        flags.String("cluster-signing-cert-file", "authority that signs certificate requests, PEM", v => ClusterSigningCertFile = v);
        flags.String("cluster-signing-key-file", "key of that authority, PEM", v => ClusterSigningKeyFile = v);
        flags.Duration("cluster-signing-duration", "longest life of a signed certificate", v => ClusterSigningDuration = v, ClusterSigningDuration);
        flags.String("root-ca-file", "authority published to every namespace and put into service account secrets, PEM", v => RootCAFile = v);
        flags.String("service-account-private-key-file", "key that signs service account tokens in Secrets, PEM", v => ServiceAccountPrivateKeyFile = v);
        flags.Duration("min-resync-period", "how often informers show every object again, at least", v => MinResyncPeriod = v, MinResyncPeriod);
        flags.Duration("node-monitor-period", "how often nodes' leases are looked at", v => NodeMonitorPeriod = v, NodeMonitorPeriod);
        flags.Duration("node-monitor-grace-period", "how long a node may be silent before it is unhealthy", v => NodeMonitorGracePeriod = v, NodeMonitorGracePeriod);
        flags.Duration("node-startup-grace-period", "the same for a node that starts", v => NodeStartupGracePeriod = v, NodeStartupGracePeriod);
        flags.Float("node-eviction-rate", "nodes per second whose Pods are evicted", v => NodeEvictionRate = v, NodeEvictionRate);
        flags.Int("terminated-pod-gc-threshold", "ended Pods that may stay; 0 and less: all", v => TerminatedPodGCThreshold = v, TerminatedPodGCThreshold);
        flags.Int("max-endpoints-per-slice", "most endpoints in an EndpointSlice", v => MaxEndpointsPerSlice = v, MaxEndpointsPerSlice, 1, 1000);
        flags.Duration("horizontal-pod-autoscaler-sync-period", "time between two looks at an autoscaler", v => HpaSyncPeriod = v, HpaSyncPeriod);
        flags.Float("horizontal-pod-autoscaler-tolerance", "change of the ratio that is ignored", v => HpaTolerance = v, HpaTolerance);
        flags.Duration("horizontal-pod-autoscaler-downscale-stabilization", "how long a higher recommendation holds", v => HpaDownscaleStabilization = v, HpaDownscaleStabilization);
        flags.Duration("horizontal-pod-autoscaler-cpu-initialization-period", "how long after its start a Pod's CPU counts only when it is ready", v => HpaCpuInitialization = v, HpaCpuInitialization);
        flags.Duration("horizontal-pod-autoscaler-initial-readiness-delay", "how long after its start a Pod may turn ready and not ready without counting", v => HpaInitialReadinessDelay = v, HpaInitialReadinessDelay);
        flags.Duration("legacy-service-account-token-clean-up-period", "how long a legacy service account token must be unused to be retired", v => LegacyTokenCleanUpPeriod = v, LegacyTokenCleanUpPeriod);
        flags.Bool("disable-force-detach-on-timeout", "never detach a volume that a dead node still uses", v => DisableForceDetachOnTimeout = v);
        flags.Bool("enable-garbage-collector", "remove what nobody owns any more", v => EnableGarbageCollector = v, true);
        flags.Int("node-cidr-mask-size-ipv6", "size of a node's IPv6 Pod range", v => NodeCidrMaskSizeV6 = v, 64, 8, 128);
        flags.Float("secondary-node-eviction-rate", "nodes per second whose Pods are evicted in a zone that is unhealthy", v => SecondaryNodeEvictionRate = v, SecondaryNodeEvictionRate);
        flags.Float("unhealthy-zone-threshold", "share of nodes not ready that makes a zone unhealthy", v => UnhealthyZoneThreshold = v, UnhealthyZoneThreshold);
        flags.Int("large-cluster-size-threshold", "nodes in a zone up to which an unhealthy zone is not evicted at all", v => LargeClusterSizeThreshold = v, LargeClusterSizeThreshold, 0, int.MaxValue);
        flags.Int("mirroring-max-endpoints-per-subset", "most addresses of a subset that are mirrored", v => MirroringMaxEndpointsPerSubset = v, MirroringMaxEndpointsPerSubset, 1, 1000);
        flags.Duration("resource-quota-sync-period", "how often a quota's use is counted anew", v => ResourceQuotaSyncPeriod = v, ResourceQuotaSyncPeriod);
        foreach (var signer in _signers) AddSigner(flags, signer);
        foreach (var name in _concurrent) flags.Int($"concurrent-{name}-syncs", $"workers of the {name} controller", v => Workers[name] = v, 5, 1, 1000);
        AddInert(flags);
    }

    /// <summary>Everything that is wrong, one line each.</summary>
    public IEnumerable<string> Validate()
    {
        if (LeaderElection.Validate() is { } wrong) yield return wrong;
        foreach (var file in new[] { RootCAFile, ServiceAccountPrivateKeyFile, ClusterSigningCertFile, ClusterSigningKeyFile })
        {
            if (file.Length > 0 && !File.Exists(file)) yield return $"file {file} does not exist";
        }
        if (ClusterSigningCertFile.Length > 0 != ClusterSigningKeyFile.Length > 0) yield return "--cluster-signing-cert-file and --cluster-signing-key-file go together";
        foreach (var (signer, (certificate, key)) in SignerFiles)
        {
            if (certificate.Length > 0 != key.Length > 0) yield return $"--cluster-signing-{signer}-cert-file and --cluster-signing-{signer}-key-file go together";
            else if (ClusterSigningCertFile.Length > 0) yield return $"--cluster-signing-cert-file is for all signers: leave it out beside --cluster-signing-{signer}-cert-file";
            foreach (var file in new[] { certificate, key }.Where(f => f.Length > 0 && !File.Exists(f))) yield return $"file {file} does not exist";
        }
        foreach (var range in ClusterCidr.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!System.Net.IPNetwork.TryParse(range, out var network)) yield return $"--cluster-cidr: \"{range}\" is not a range";
            else if (AllocateNodeCidrs && (range.Contains(':', StringComparison.Ordinal) ? NodeCidrMaskSizeV6 : NodeCidrMaskSize) < network.PrefixLength) yield return $"--cluster-cidr: a node's range is larger than {range}: raise --node-cidr-mask-size";
        }
        foreach (var name in Controllers)
        {
            if (name != "*" && !ControllerTable.Knows(name.TrimStart('-'))) yield return $"--controllers: \"{name}\" is not a controller";
        }
    }

    private static readonly string[] _signers = ["kube-apiserver-client", "kubelet-client", "kubelet-serving", "legacy-unknown"];

    private void AddSigner(FlagSet flags, string signer)
    {
        flags.String($"cluster-signing-{signer}-cert-file", $"authority of the signer {signer}, PEM", v => SignerFiles[signer] = (v, SignerFiles.GetValueOrDefault(signer).Key ?? ""));
        flags.String($"cluster-signing-{signer}-key-file", $"key of that authority, PEM", v => SignerFiles[signer] = (SignerFiles.GetValueOrDefault(signer).Certificate ?? "", v));
    }

    private static readonly string[] _concurrent =
    [
        "deployment", "replicaset", "statefulset", "daemonset", "job", "cron-job", "endpoint", "service-endpoint", "namespace", "gc", "resource-quota",
        "serviceaccount-token", "service", "rc", "ttl-after-finished", "ephemeralvolume", "horizontal-pod-autoscaler", "validating-admission-policy-status", "resource-claim",
    ];

    private static void AddInert(FlagSet flags)
    {
        flags.Inert("allow-metric-labels", "allow-metric-labels-manifest", "attach-detach-reconcile-sync-period", "authentication-token-webhook-cache-ttl",
            "authorization-always-allow-paths", "authorization-kubeconfig", "authorization-webhook-cache-authorized-ttl", "authorization-webhook-cache-unauthorized-ttl",
            "cidr-allocator-type", "client-ca-file", "cloud-config", "cloud-provider", 
            "controller-start-interval", "disabled-metrics", "emulated-version", "endpoint-updates-batch-period",
            "endpointslice-updates-batch-period", "external-cloud-volume-plugin", "feature-gates", "flex-volume-plugin-dir",
            "kube-api-burst", "kube-api-content-type",
            "kube-api-qps", "master", "mirroring-concurrent-service-endpoint-syncs",
            "mirroring-endpointslice-updates-batch-period", "namespace-sync-period", "node-sync-period",
            "pv-recycler-increment-timeout-nfs", "pv-recycler-minimum-timeout-hostpath", "pv-recycler-minimum-timeout-nfs", "pv-recycler-pod-template-filepath-hostpath",
            "pv-recycler-pod-template-filepath-nfs", "pv-recycler-timeout-increment-hostpath", "pvclaimbinder-sync-period", "requestheader-allowed-names",
            "requestheader-client-ca-file", "requestheader-extra-headers-prefix", "requestheader-group-headers", "requestheader-uid-headers", "requestheader-username-headers",
            "route-reconciliation-period", "show-hidden-metrics-for-version", 
            "volume-host-cidr-denylist", "leader-migration-config", "kube-api-content-encoding", "min-compatibility-version", "flagz");
        flags.InertBools("authentication-skip-lookup", "authentication-tolerate-lookup-failure", "configure-cloud-routes", "contention-profiling", "disable-attach-detach-reconcile-sync",
            "enable-dynamic-provisioning", "enable-hostpath-provisioner", "enable-leader-migration", "profiling",
            "volume-host-allow-local-loopback");
    }
}
