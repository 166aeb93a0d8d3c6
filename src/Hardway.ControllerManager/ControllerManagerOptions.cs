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
        flags.Int("node-cidr-mask-size", "size of a node's Pod range", v => NodeCidrMaskSize = v, 24, 8, 128);
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
        foreach (var name in Controllers)
        {
            if (name != "*" && !ControllerTable.Knows(name.TrimStart('-'))) yield return $"--controllers: \"{name}\" is not a controller";
        }
    }

    private static readonly string[] _concurrent =
    [
        "deployment", "replicaset", "statefulset", "daemonset", "job", "cron-job", "endpoint", "service-endpoint", "namespace", "gc", "resource-quota",
        "serviceaccount-token", "service", "rc", "ttl-after-finished", "ephemeralvolume", "horizontal-pod-autoscaler", "validating-admission-policy-status",
    ];

    private static void AddInert(FlagSet flags)
    {
        flags.Inert("allow-metric-labels", "allow-metric-labels-manifest", "attach-detach-reconcile-sync-period", "authentication-token-webhook-cache-ttl",
            "authorization-always-allow-paths", "authorization-kubeconfig", "authorization-webhook-cache-authorized-ttl", "authorization-webhook-cache-unauthorized-ttl",
            "cidr-allocator-type", "client-ca-file", "cloud-config", "cloud-provider", "cluster-signing-kube-apiserver-client-cert-file",
            "cluster-signing-kube-apiserver-client-key-file", "cluster-signing-kubelet-client-cert-file", "cluster-signing-kubelet-client-key-file",
            "cluster-signing-kubelet-serving-cert-file", "cluster-signing-kubelet-serving-key-file", "cluster-signing-legacy-unknown-cert-file",
            "cluster-signing-legacy-unknown-key-file", "controller-start-interval", "disabled-metrics", "emulated-version", "endpoint-updates-batch-period",
            "endpointslice-updates-batch-period", "external-cloud-volume-plugin", "feature-gates", "flex-volume-plugin-dir",
            "horizontal-pod-autoscaler-cpu-initialization-period", "horizontal-pod-autoscaler-initial-readiness-delay", "kube-api-burst", "kube-api-content-type",
            "kube-api-qps", "large-cluster-size-threshold", "legacy-service-account-token-clean-up-period", "master", "mirroring-concurrent-service-endpoint-syncs",
            "mirroring-endpointslice-updates-batch-period", "mirroring-max-endpoints-per-subset", "namespace-sync-period", "node-cidr-mask-size-ipv6", "node-sync-period",
            "pv-recycler-increment-timeout-nfs", "pv-recycler-minimum-timeout-hostpath", "pv-recycler-minimum-timeout-nfs", "pv-recycler-pod-template-filepath-hostpath",
            "pv-recycler-pod-template-filepath-nfs", "pv-recycler-timeout-increment-hostpath", "pvclaimbinder-sync-period", "requestheader-allowed-names",
            "requestheader-client-ca-file", "requestheader-extra-headers-prefix", "requestheader-group-headers", "requestheader-uid-headers", "requestheader-username-headers",
            "resource-quota-sync-period", "route-reconciliation-period", "secondary-node-eviction-rate", "show-hidden-metrics-for-version", "unhealthy-zone-threshold",
            "volume-host-cidr-denylist", "leader-migration-config", "kube-api-content-encoding", "min-compatibility-version", "flagz");
        flags.InertBools("authentication-skip-lookup", "authentication-tolerate-lookup-failure", "configure-cloud-routes", "contention-profiling", "disable-attach-detach-reconcile-sync",
            "disable-force-detach-on-timeout", "enable-dynamic-provisioning", "enable-garbage-collector", "enable-hostpath-provisioner", "enable-leader-migration", "profiling",
            "volume-host-allow-local-loopback");
    }
}
