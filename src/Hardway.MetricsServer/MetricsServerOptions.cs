using Hardway.Hosting;

namespace Hardway.MetricsServer;

/// <summary>The metrics server's command line; upstream's names.</summary>
internal sealed class MetricsServerOptions
{
    public string Kubeconfig { get; private set; } = "";

    public TimeSpan Resolution { get; private set; } = TimeSpan.FromSeconds(15);

    /// <summary>Null: the authorities that the API server is trusted by.</summary>
    public string? KubeletAuthority { get; private set; }

    public bool KubeletInsecure { get; private set; }

    public int KubeletPort { get; private set; } = 10250;

    public bool UseNodeStatusPort { get; private set; }

    public IReadOnlyList<string> AddressTypes { get; private set; } = ["InternalIP", "ExternalIP", "Hostname"];

    public ServingOptions Serving { get; } = new() { Port = 10250 };

    public void AddFlags(FlagSet flags)
    {
        Serving.AddFlags(flags);
        flags.String("kubeconfig", "kubeconfig file; without it the Pod's service account", v => Kubeconfig = v);
        flags.Duration("metric-resolution", "how often every kubelet is asked", v => Resolution = v, Resolution);
        flags.String("kubelet-certificate-authority", "authorities of the kubelets' certificates, PEM; without it those of the API server's", v => KubeletAuthority = v);
        flags.Bool("kubelet-insecure-tls", "do not verify the kubelets' certificates", v => KubeletInsecure = v);
        flags.Int("kubelet-port", "port of the kubelets", v => KubeletPort = v, KubeletPort, 1, 65535);
        flags.Bool("kubelet-use-node-status-port", "the port that a Node's status names, before --kubelet-port", v => UseNodeStatusPort = v);
        flags.StringList("kubelet-preferred-address-types", "types of a Node's addresses, the first that it has is used", v => AddressTypes = v);
        flags.Inert("authentication-kubeconfig", "authorization-kubeconfig", "kubelet-client-certificate", "kubelet-client-key", "node-selector", "kubelet-request-timeout", "authorization-always-allow-paths");
        flags.InertBools("authentication-skip-lookup", "authentication-tolerate-lookup-failure");
    }
}
