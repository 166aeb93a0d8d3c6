namespace Hardway.ApiServer.Kubelets;

/// <summary>How this server reaches kubelets: upstream's --kubelet-* flags.</summary>
internal sealed class KubeletOptions
{
    /// <summary>--kubelet-client-certificate; empty for none.</summary>
    public string ClientCertificate { get; set; } = "";

    /// <summary>--kubelet-client-key.</summary>
    public string ClientKey { get; set; } = "";

    /// <summary>--kubelet-certificate-authority; empty leaves the kubelet's certificate unverified, as upstream does.</summary>
    public string CertificateAuthority { get; set; } = "";

    /// <summary>--kubelet-preferred-address-types.</summary>
    public IReadOnlyList<string> PreferredAddressTypes { get; set; } = ["Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"];

    /// <summary>--kubelet-timeout: for a connection to come about.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);
}
