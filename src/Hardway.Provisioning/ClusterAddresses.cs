namespace Hardway.Provisioning;

/// <summary>The addresses and names of the tutorial that are not in the machine database.</summary>
public static class ClusterAddresses
{
    public const string ServiceRange = "10.32.0.0/24";
    public const string KubernetesService = "10.32.0.1";
    public const string DnsService = "10.32.0.10";
    public const string ClusterDomain = "cluster.local";
    public const int ApiPort = 6443;
}
