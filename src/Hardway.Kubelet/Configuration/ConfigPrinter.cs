using System.Text;
using System.Text.Json;

namespace Hardway.Kubelet.Configuration;

/// <summary>The configuration in force as /configz shows it. It holds no secrets: files are named, not shown.</summary>
internal static class ConfigPrinter
{
    public static string ToJson(KubeletConfig config)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteStartObject("kubeletconfig");
            json.WriteBoolean("enableServer", config.EnableServer);
            Text(json, "staticPodPath", config.StaticPodPath);
            Text(json, "podLogsDir", config.PodLogsDir);
            Text(json, "syncFrequency", config.SyncFrequency);
            Text(json, "fileCheckFrequency", config.FileCheckFrequency);
            Text(json, "address", config.Address);
            json.WriteNumber("port", config.Port);
            Text(json, "tlsCertFile", config.TlsCertFile);
            Text(json, "tlsPrivateKeyFile", config.TlsPrivateKeyFile);
            WriteAuthentication(json, config);
            Text(json, "healthzBindAddress", config.HealthzBindAddress);
            json.WriteNumber("healthzPort", config.HealthzPort);
            Text(json, "clusterDomain", config.ClusterDomain);
            json.WriteStartArray("clusterDNS");
            foreach (var server in config.ClusterDns)
                json.WriteStringValue(server);
            json.WriteEndArray();
            Text(json, "nodeStatusUpdateFrequency", config.NodeStatusUpdateFrequency);
            Text(json, "nodeStatusReportFrequency", config.NodeStatusReportFrequency);
            json.WriteNumber("nodeLeaseDurationSeconds", config.NodeLeaseDurationSeconds);
            json.WriteNumber("imageGCHighThresholdPercent", config.ImageGcHighThresholdPercent);
            json.WriteNumber("imageGCLowThresholdPercent", config.ImageGcLowThresholdPercent);
            Text(json, "cgroupRoot", config.CgroupRoot);
            json.WriteBoolean("cgroupsPerQOS", config.CgroupsPerQos);
            Text(json, "cgroupDriver", config.SystemdCgroups ? "systemd" : "cgroupfs");
            Text(json, "runtimeRequestTimeout", config.RuntimeRequestTimeout);
            json.WriteNumber("maxPods", config.MaxPods);
            json.WriteNumber("podPidsLimit", config.PodPidsLimit);
            Text(json, "resolvConf", config.ResolvConf);
            json.WriteBoolean("cpuCFSQuota", config.CpuCfsQuota);
            json.WriteNumber("nodeStatusMaxImages", config.NodeStatusMaxImages);
            json.WriteBoolean("serializeImagePulls", config.SerializeImagePulls);
            json.WriteBoolean("failSwapOn", config.FailSwapOn);
            json.WriteStartObject("memorySwap");
            Text(json, "swapBehavior", config.SwapBehavior);
            json.WriteEndObject();
            json.WriteNumber("containerLogMaxFiles", config.ContainerLogMaxFiles);
            Text(json, "containerRuntimeEndpoint", config.ContainerRuntimeEndpoint);
            json.WriteBoolean("registerNode", config.RegisterNode);
            Map(json, "evictionHard", config.EvictionHard);
            Map(json, "systemReserved", config.SystemReserved);
            Map(json, "kubeReserved", config.KubeReserved);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void WriteAuthentication(Utf8JsonWriter json, KubeletConfig config)
    {
        json.WriteStartObject("authentication");
        json.WriteStartObject("x509");
        Text(json, "clientCAFile", config.ClientCaFile);
        json.WriteEndObject();
        json.WriteStartObject("webhook");
        json.WriteBoolean("enabled", config.WebhookAuthentication);
        Text(json, "cacheTTL", config.WebhookAuthenticationCacheTtl);
        json.WriteEndObject();
        json.WriteStartObject("anonymous");
        json.WriteBoolean("enabled", config.AnonymousAuthentication);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartObject("authorization");
        Text(json, "mode", config.WebhookAuthorization ? "Webhook" : "AlwaysAllow");
        json.WriteEndObject();
    }

    private static void Text(Utf8JsonWriter json, string name, string value)
    {
        if (value.Length > 0)
            json.WriteString(name, value);
    }

    private static void Text(Utf8JsonWriter json, string name, TimeSpan value) => json.WriteString(name, Hosting.GoDuration.Format(value));

    private static void Map(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, string> map)
    {
        json.WriteStartObject(name);
        foreach (var (key, value) in map)
            json.WriteString(key, value);
        json.WriteEndObject();
    }
}
