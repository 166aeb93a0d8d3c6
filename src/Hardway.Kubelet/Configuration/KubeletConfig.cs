namespace Hardway.Kubelet.Configuration;

/// <summary>A taint that the node registers with.</summary>
internal sealed record TaintConfig(string Key, string Value, string Effect);

/// <summary>KubeletConfiguration (kubelet.config.k8s.io/v1beta1): the fields this kubelet acts on, with upstream's defaults.</summary>
internal sealed record KubeletConfig
{
    public bool EnableServer { get; init; } = true;
    public string StaticPodPath { get; init; } = "";
    public string PodLogsDir { get; init; } = "/var/log/pods";
    public TimeSpan SyncFrequency { get; init; } = TimeSpan.FromMinutes(1);
    public TimeSpan FileCheckFrequency { get; init; } = TimeSpan.FromSeconds(20);
    public string Address { get; init; } = "0.0.0.0";
    public int Port { get; init; } = 10250;
    public int ReadOnlyPort { get; init; }
    public string TlsCertFile { get; init; } = "";
    public string TlsPrivateKeyFile { get; init; } = "";
    public bool AnonymousAuthentication { get; init; }
    public bool WebhookAuthentication { get; init; } = true;
    public TimeSpan WebhookAuthenticationCacheTtl { get; init; } = TimeSpan.FromMinutes(2);
    public string ClientCaFile { get; init; } = "";
    public bool WebhookAuthorization { get; init; } = true;
    public TimeSpan AuthorizedTtl { get; init; } = TimeSpan.FromMinutes(5);
    public TimeSpan UnauthorizedTtl { get; init; } = TimeSpan.FromSeconds(30);
    public string HealthzBindAddress { get; init; } = "127.0.0.1";
    public int HealthzPort { get; init; } = 10248;
    public string ClusterDomain { get; init; } = "";
    public IReadOnlyList<string> ClusterDns { get; init; } = [];
    public TimeSpan StreamingConnectionIdleTimeout { get; init; } = TimeSpan.FromHours(4);
    public TimeSpan NodeStatusUpdateFrequency { get; init; } = TimeSpan.FromSeconds(10);
    public TimeSpan NodeStatusReportFrequency { get; init; } = TimeSpan.FromMinutes(5);
    public int NodeLeaseDurationSeconds { get; init; } = 40;
    public TimeSpan ImageMinimumGcAge { get; init; } = TimeSpan.FromMinutes(2);
    public int ImageGcHighThresholdPercent { get; init; } = 85;
    public int ImageGcLowThresholdPercent { get; init; } = 80;
    public string CgroupRoot { get; init; } = "";
    public bool CgroupsPerQos { get; init; } = true;
    public bool SystemdCgroups { get; init; }
    public TimeSpan RuntimeRequestTimeout { get; init; } = TimeSpan.FromMinutes(2);
    public int MaxPods { get; init; } = 110;
    public long PodPidsLimit { get; init; } = -1;
    public string ResolvConf { get; init; } = "/etc/resolv.conf";
    public bool CpuCfsQuota { get; init; } = true;
    public int NodeStatusMaxImages { get; init; } = 50;
    public bool SerializeImagePulls { get; init; } = true;
    public int MaxParallelImagePulls { get; init; }
    public bool FailSwapOn { get; init; } = true;
    public string SwapBehavior { get; init; } = "";
    public long ContainerLogMaxSizeBytes { get; init; } = 10 << 20;
    public int ContainerLogMaxFiles { get; init; } = 5;
    public TimeSpan ContainerLogMonitorInterval { get; init; } = TimeSpan.FromSeconds(10);
    public IReadOnlyDictionary<string, string> SystemReserved { get; init; } = new Dictionary<string, string>();
    public IReadOnlyDictionary<string, string> KubeReserved { get; init; } = new Dictionary<string, string>();
    public IReadOnlyDictionary<string, string> EvictionHard { get; init; } = DefaultEvictionHard;
    public IReadOnlyDictionary<string, string> EvictionSoft { get; init; } = new Dictionary<string, string>();
    public IReadOnlyDictionary<string, string> EvictionSoftGracePeriod { get; init; } = new Dictionary<string, string>();
    public IReadOnlyDictionary<string, string> EvictionMinimumReclaim { get; init; } = new Dictionary<string, string>();
    public TimeSpan EvictionPressureTransitionPeriod { get; init; } = TimeSpan.FromMinutes(5);
    public int EvictionMaxPodGracePeriod { get; init; }
    public bool LocalStorageCapacityIsolation { get; init; } = true;
    public IReadOnlyList<string> EnforceNodeAllocatable { get; init; } = ["pods"];
    public string SystemReservedCgroup { get; init; } = "";
    public string KubeReservedCgroup { get; init; } = "";
    public TimeSpan ImageMaximumGcAge { get; init; }
    public string ChangeDetectionStrategy { get; init; } = "Watch";
    public bool SeccompDefault { get; init; }
    public TimeSpan MaxContainerRestartPeriod { get; init; } = TimeSpan.FromMinutes(5);
    public int PodsPerCore { get; init; }
    public IReadOnlyList<TaintConfig> RegisterWithTaints { get; init; } = [];
    public string VolumePluginDir { get; init; } = "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/";
    public bool EnableDebuggingHandlers { get; init; } = true;
    public bool RegisterNode { get; init; } = true;
    public IReadOnlyList<string> AllowedUnsafeSysctls { get; init; } = [];
    public string ContainerRuntimeEndpoint { get; init; } = "unix:///run/containerd/containerd.sock";
    public string ImageServiceEndpoint { get; init; } = "";
    public string ProviderId { get; init; } = "";
    public bool EnableServiceLinks { get; init; } = true;
    public TimeSpan ShutdownGracePeriod { get; init; }
    public TimeSpan ShutdownGracePeriodCriticalPods { get; init; }

    /// <summary>Fields that were set and have no effect here; said once at start.</summary>
    public IReadOnlyList<string> Ignored { get; init; } = [];

    public static readonly IReadOnlyDictionary<string, string> DefaultEvictionHard = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["memory.available"] = "100Mi",
        ["nodefs.available"] = "10%",
        ["nodefs.inodesFree"] = "5%",
        ["imagefs.available"] = "15%",
        ["imagefs.inodesFree"] = "5%",
    };
}
