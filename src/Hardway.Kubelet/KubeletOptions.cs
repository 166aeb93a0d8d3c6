using Hardway.Hosting;

namespace Hardway.Kubelet;

/// <summary>The kubelet's command line; what also stands in the configuration file is overridden by the flag.</summary>
internal sealed class KubeletOptions
{
    public string ConfigFile { get; private set; } = "";
    public string KubeConfig { get; private set; } = "";
    public string HostnameOverride { get; private set; } = "";
    public string NodeIp { get; private set; } = "";
    public string RootDirectory { get; private set; } = "/var/lib/kubelet";
    public string RuntimeEndpoint { get; private set; } = "";
    public string ImageEndpoint { get; private set; } = "";
    public bool? RegisterNode { get; private set; }
    public string StaticPodPath { get; private set; } = "";
    public string CgroupRoot { get; private set; } = "";
    public Dictionary<string, string> NodeLabels { get; private set; } = [];
    public List<string> RegisterWithTaints { get; private set; } = [];

    public void AddFlags(FlagSet flags)
    {
        flags.String("config", "the KubeletConfiguration file", v => ConfigFile = v);
        flags.String("kubeconfig", "how to reach the API server; without it only static Pods run", v => KubeConfig = v);
        flags.String("hostname-override", "the node's name, if not the host's", v => HostnameOverride = v);
        flags.String("node-ip", "the node's address, or two separated by a comma", v => NodeIp = v);
        flags.String("root-dir", "directory for Pods' files", v => RootDirectory = v.TrimEnd('/'), RootDirectory);
        flags.String("container-runtime-endpoint", "the runtime's CRI socket", v => RuntimeEndpoint = v);
        flags.String("image-service-endpoint", "the image service's CRI socket, if another", v => ImageEndpoint = v);
        flags.Bool("register-node", "create the Node in the API", v => RegisterNode = v, true);
        flags.String("pod-manifest-path", "directory of static Pods", v => StaticPodPath = v);
        flags.String("cgroup-root", "cgroup below which all Pods' cgroups are made", v => CgroupRoot = v);
        flags.Map("node-labels", "labels for the Node when it registers", v => NodeLabels = v);
        flags.StringList("register-with-taints", "taints for the Node when it registers, key=value:effect", v => RegisterWithTaints = v);
        flags.Inert(
            "bootstrap-kubeconfig", "cert-dir", "cloud-provider", "cloud-config", "feature-gates", "pod-infra-container-image", "seccomp-profile-root", "runtime-cgroups",
            "lock-file", "image-credential-provider-config", "image-credential-provider-bin-dir", "node-status-max-images", "config-dir", "experimental-mounter-path", "log-cadvisor-usage",
            "max-pods", "cgroup-driver", "cluster-dns", "cluster-domain", "resolv-conf", "tls-cert-file", "tls-private-key-file",
            "client-ca-file", "authorization-mode", "port", "address", "healthz-port", "kube-reserved", "system-reserved", "eviction-hard", "runtime-request-timeout");
        flags.InertBools("exit-on-lock-contention", "fail-swap-on", "anonymous-auth", "authentication-token-webhook", "rotate-certificates", "rotate-server-certificates", "protect-kernel-defaults");
    }
}
