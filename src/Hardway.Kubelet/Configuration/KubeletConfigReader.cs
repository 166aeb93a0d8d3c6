using System.Globalization;
using System.Text.Json;
using Hardway.Kubelet.Eviction;

namespace Hardway.Kubelet.Configuration;

/// <summary>
/// Reads a KubeletConfiguration strictly: an unknown field, a wrong type or a value out of range is an error, all of them are
/// reported together with their paths. Fields that upstream knows and we do not act on are accepted and listed as ignored.
/// </summary>
internal static class KubeletConfigReader
{
    private const string ApiVersion = "kubelet.config.k8s.io/v1beta1", Kind = "KubeletConfiguration";

    /// <exception cref="FormatException">One line with every problem found.</exception>
    public static KubeletConfig Read(ReadOnlyMemory<byte> json, string source)
    {
        var problems = new ConfigProblems();
        using var document = JsonDocument.Parse(json);
        var root = new StrictObject(document.RootElement, "", problems);
        var kind = root.String("kind");
        var version = root.String("apiVersion");
        if (kind != Kind || version != ApiVersion)
            problems.Add("kind and apiVersion", $"must be {Kind} of {ApiVersion}, not '{kind}' of '{version}'");
        var config = ReadFields(root, problems);
        root.Close();
        Validate(config, problems);
        if (problems.Errors.Count > 0)
            throw new FormatException($"{source}: {string.Join("; ", problems.Errors)}");
        return config with { Ignored = problems.Ignored };
    }

    private static KubeletConfig ReadFields(StrictObject root, ConfigProblems problems)
    {
        var d = new KubeletConfig();
        var authentication = root.Object("authentication");
        var x509 = authentication.Object("x509");
        var webhook = authentication.Object("webhook");
        var anonymous = authentication.Object("anonymous");
        var authorization = root.Object("authorization");
        var authorizationWebhook = authorization.Object("webhook");
        var memorySwap = root.Object("memorySwap");
        var crashLoop = root.Object("crashLoopBackOff");
        var mode = authorization.String("mode", "Webhook");
        if (mode is not ("Webhook" or "AlwaysAllow"))
            problems.Add("authorization.mode", $"'{mode}' must be Webhook or AlwaysAllow");
        var driver = root.String("cgroupDriver", "cgroupfs");
        if (driver is not ("cgroupfs" or "systemd"))
            problems.Add("cgroupDriver", $"'{driver}' must be systemd or cgroupfs");
        var config = new KubeletConfig
        {
            EnableServer = root.Bool("enableServer", d.EnableServer),
            StaticPodPath = root.String("staticPodPath"),
            PodLogsDir = root.String("podLogsDir", d.PodLogsDir),
            SyncFrequency = root.Duration("syncFrequency", d.SyncFrequency),
            FileCheckFrequency = root.Duration("fileCheckFrequency", d.FileCheckFrequency),
            Address = root.String("address", d.Address),
            Port = (int)root.Integer("port", d.Port, 1, 65535),
            ReadOnlyPort = (int)root.Integer("readOnlyPort", 0, 0, 65535),
            TlsCertFile = root.String("tlsCertFile"),
            TlsPrivateKeyFile = root.String("tlsPrivateKeyFile"),
            AnonymousAuthentication = anonymous.Bool("enabled", false),
            WebhookAuthentication = webhook.Bool("enabled", true),
            WebhookAuthenticationCacheTtl = webhook.Duration("cacheTTL", d.WebhookAuthenticationCacheTtl),
            ClientCaFile = x509.String("clientCAFile"),
            WebhookAuthorization = mode == "Webhook",
            AuthorizedTtl = authorizationWebhook.Duration("cacheAuthorizedTTL", d.AuthorizedTtl),
            UnauthorizedTtl = authorizationWebhook.Duration("cacheUnauthorizedTTL", d.UnauthorizedTtl),
            HealthzBindAddress = root.String("healthzBindAddress", d.HealthzBindAddress),
            HealthzPort = (int)root.Integer("healthzPort", d.HealthzPort, 0, 65535),
            ClusterDomain = root.String("clusterDomain"),
            ClusterDns = root.Strings("clusterDNS"),
            StreamingConnectionIdleTimeout = root.Duration("streamingConnectionIdleTimeout", d.StreamingConnectionIdleTimeout),
            NodeStatusUpdateFrequency = root.Duration("nodeStatusUpdateFrequency", d.NodeStatusUpdateFrequency),
            NodeStatusReportFrequency = root.Duration("nodeStatusReportFrequency", d.NodeStatusReportFrequency),
            NodeLeaseDurationSeconds = (int)root.Integer("nodeLeaseDurationSeconds", d.NodeLeaseDurationSeconds, 1, 3600),
            ImageMinimumGcAge = root.Duration("imageMinimumGCAge", d.ImageMinimumGcAge),
            ImageGcHighThresholdPercent = (int)root.Integer("imageGCHighThresholdPercent", d.ImageGcHighThresholdPercent, 0, 100),
            ImageGcLowThresholdPercent = (int)root.Integer("imageGCLowThresholdPercent", d.ImageGcLowThresholdPercent, 0, 100),
            CgroupRoot = root.String("cgroupRoot"),
            CgroupsPerQos = root.Bool("cgroupsPerQOS", true),
            SystemdCgroups = driver == "systemd",
            RuntimeRequestTimeout = root.Duration("runtimeRequestTimeout", d.RuntimeRequestTimeout),
            MaxPods = (int)root.Integer("maxPods", d.MaxPods, 0, int.MaxValue),
            PodPidsLimit = root.Integer("podPidsLimit", d.PodPidsLimit),
            ResolvConf = root.String("resolvConf", d.ResolvConf),
            CpuCfsQuota = root.Bool("cpuCFSQuota", true),
            NodeStatusMaxImages = (int)root.Integer("nodeStatusMaxImages", d.NodeStatusMaxImages, -1, int.MaxValue),
            SerializeImagePulls = root.Bool("serializeImagePulls", true),
            MaxParallelImagePulls = (int)root.Integer("maxParallelImagePulls", 0, 0, int.MaxValue),
            FailSwapOn = root.Bool("failSwapOn", true),
            SwapBehavior = memorySwap.String("swapBehavior"),
            ContainerLogMaxSizeBytes = Bytes(root, "containerLogMaxSize", d.ContainerLogMaxSizeBytes, problems),
            ContainerLogMaxFiles = (int)root.Integer("containerLogMaxFiles", d.ContainerLogMaxFiles, 2, int.MaxValue),
            ContainerLogMonitorInterval = root.Duration("containerLogMonitorInterval", d.ContainerLogMonitorInterval),
            SystemReserved = root.Map("systemReserved"),
            KubeReserved = root.Map("kubeReserved"),
            EvictionHard = EvictionHard(root.Map("evictionHard"), root.Bool("mergeDefaultEvictionSettings", false)),
            EvictionSoft = root.Map("evictionSoft"),
            EvictionSoftGracePeriod = root.Map("evictionSoftGracePeriod"),
            EvictionMinimumReclaim = root.Map("evictionMinimumReclaim"),
            EvictionPressureTransitionPeriod = root.Duration("evictionPressureTransitionPeriod", d.EvictionPressureTransitionPeriod),
            EvictionMaxPodGracePeriod = (int)root.Integer("evictionMaxPodGracePeriod", 0, 0, int.MaxValue),
            LocalStorageCapacityIsolation = root.Bool("localStorageCapacityIsolation", true),
            EnforceNodeAllocatable = root.Has("enforceNodeAllocatable") ? root.Strings("enforceNodeAllocatable") : d.EnforceNodeAllocatable,
            SystemReservedCgroup = root.String("systemReservedCgroup"),
            KubeReservedCgroup = root.String("kubeReservedCgroup"),
            ImageMaximumGcAge = root.Duration("imageMaximumGCAge", d.ImageMaximumGcAge),
            ChangeDetectionStrategy = root.String("configMapAndSecretChangeDetectionStrategy", d.ChangeDetectionStrategy),
            SeccompDefault = root.Bool("seccompDefault", false),
            MaxContainerRestartPeriod = crashLoop.Duration("maxContainerRestartPeriod", d.MaxContainerRestartPeriod),
            PodsPerCore = (int)root.Integer("podsPerCore", 0, 0, int.MaxValue),
            RegisterWithTaints = [.. root.Objects("registerWithTaints").Select(Taint)],
            ShutdownGracePeriod = root.Duration("shutdownGracePeriod", d.ShutdownGracePeriod),
            ShutdownGracePeriodCriticalPods = root.Duration("shutdownGracePeriodCriticalPods", d.ShutdownGracePeriodCriticalPods),
            VolumePluginDir = root.String("volumePluginDir", d.VolumePluginDir),
            EnableDebuggingHandlers = root.Bool("enableDebuggingHandlers", true),
            RegisterNode = root.Bool("registerNode", true),
            AllowedUnsafeSysctls = root.Strings("allowedUnsafeSysctls"),
            ContainerRuntimeEndpoint = root.String("containerRuntimeEndpoint", d.ContainerRuntimeEndpoint),
            ImageServiceEndpoint = root.String("imageServiceEndpoint"),
            ProviderId = root.String("providerID"),
        };
        foreach (var part in (ReadOnlySpan<StrictObject>)[x509, webhook, anonymous, authentication, authorizationWebhook, authorization, memorySwap, crashLoop])
            part.Close();
        TakeInert(root);
        return config;
    }

    /// <summary>Upstream's remaining fields: harmless to accept, without effect here (yet).</summary>
    private static void TakeInert(StrictObject root) => root.Inert(
        "staticPodURL", "staticPodURLHeader", "httpCheckFrequency", "tlsCipherSuites", "tlsMinVersion", "tlsCurvePreferences", "rotateCertificates", "serverTLSBootstrap",
        "registryPullQPS", "registryBurst", "imagePullCredentialsVerificationPolicy", "preloadedImagesVerificationAllowlist", "eventRecordQPS", "eventBurst",
        "enableContentionProfiling", "enableProfilingHandler", "enableDebugFlagsHandler", "oomScoreAdj", "volumeStatsAggPeriod",
        "kubeletCgroups", "systemCgroups", "cpuManagerPolicy", "singleProcessOOMKill", "cpuManagerPolicyOptions", "cpuManagerReconcilePeriod", "memoryManagerPolicy",
        "topologyManagerPolicy", "topologyManagerScope", "topologyManagerPolicyOptions", "qosReserved", "hairpinMode", "podCIDR", "runOnce", "cpuCFSQuotaPeriod",
        "maxOpenFiles", "contentType", "kubeAPIQPS", "kubeAPIBurst", "enableControllerAttachDetach", "protectKernelDefaults",
        "makeIPTablesUtilChains", "iptablesMasqueradeBit", "iptablesDropBit", "featureGates", "containerLogMaxWorkers",
        "reservedSystemCPUs", "showHiddenMetricsForVersion", "kernelMemcgNotification", "logging",
        "enableSystemLogHandler", "enableSystemLogQuery", "shutdownGracePeriodByPodPriority",
        "reservedMemory", "memoryThrottlingFactor", "tracing", "failCgroupV1", "userNamespaces");

    private static IReadOnlyDictionary<string, string> EvictionHard(IReadOnlyDictionary<string, string> given, bool merge)
    {
        if (given.Count == 0)
            return KubeletConfig.DefaultEvictionHard;
        if (!merge)
            return given;
        var merged = new Dictionary<string, string>(KubeletConfig.DefaultEvictionHard, StringComparer.Ordinal);
        foreach (var (signal, value) in given)
            merged[signal] = value;
        return merged;
    }

    private static TaintConfig Taint(StrictObject taint)
    {
        var result = new TaintConfig(taint.String("key"), taint.String("value"), taint.String("effect"));
        taint.String("timeAdded");
        taint.Close();
        return result;
    }

    private static void Validate(KubeletConfig config, ConfigProblems problems)
    {
        if ((config.TlsCertFile.Length == 0) != (config.TlsPrivateKeyFile.Length == 0))
            problems.Add("tlsCertFile and tlsPrivateKeyFile", "must be given together");
        if (config.SwapBehavior is not ("" or "NoSwap" or "LimitedSwap"))
            problems.Add("memorySwap.swapBehavior", $"'{config.SwapBehavior}' must be NoSwap or LimitedSwap");
        if (config.ImageGcLowThresholdPercent >= config.ImageGcHighThresholdPercent)
            problems.Add("imageGCLowThresholdPercent", "must be less than imageGCHighThresholdPercent");
        EvictionConfig.Read(config, problems);
        if (config.ChangeDetectionStrategy is not ("Watch" or "Cache" or "Get"))
            problems.Add("configMapAndSecretChangeDetectionStrategy", $"'{config.ChangeDetectionStrategy}' must be Watch, Cache or Get");
        foreach (var part in config.EnforceNodeAllocatable)
        {
            if (part is not ("none" or "pods" or "system-reserved" or "kube-reserved" or "system-reserved-compressible" or "kube-reserved-compressible"))
                problems.Add("enforceNodeAllocatable", $"'{part}' must be none, pods, system-reserved or kube-reserved");
        }
        if (config.EnforceNodeAllocatable.Any(p => p.StartsWith("system-reserved", StringComparison.Ordinal)) && config.SystemReservedCgroup.Length == 0)
            problems.Add("systemReservedCgroup", "must name a cgroup, for enforceNodeAllocatable has system-reserved");
        if (config.EnforceNodeAllocatable.Any(p => p.StartsWith("kube-reserved", StringComparison.Ordinal)) && config.KubeReservedCgroup.Length == 0)
            problems.Add("kubeReservedCgroup", "must name a cgroup, for enforceNodeAllocatable has kube-reserved");
        if (config.ShutdownGracePeriodCriticalPods > config.ShutdownGracePeriod)
            problems.Add("shutdownGracePeriodCriticalPods", "must not be longer than shutdownGracePeriod, which it is part of");
        foreach (var server in config.ClusterDns)
        {
            if (!System.Net.IPAddress.TryParse(server, out _))
                problems.Add("clusterDNS", $"'{server}' is not an IP address");
        }
    }

    private static long Bytes(StrictObject root, string name, long otherwise, ConfigProblems problems)
    {
        var text = root.String(name);
        if (text.Length == 0)
            return otherwise;
        ReadOnlySpan<(string Suffix, long Factor)> units = [("Ki", 1L << 10), ("Mi", 1L << 20), ("Gi", 1L << 30), ("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000), ("", 1)];
        foreach (var (suffix, factor) in units)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal) && long.TryParse(text[..^suffix.Length], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0)
                return number * factor;
        }
        problems.Add(name, $"'{text}' is not a quantity such as 10Mi");
        return otherwise;
    }
}
