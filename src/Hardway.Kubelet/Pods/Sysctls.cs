using Hardway.Api.Core.V1;

namespace Hardway.Kubelet.Pods;

/// <summary>Kernel parameters that a Pod may set: the safe ones always, others only where the node's configuration allows them; never those of the host's namespaces. Pure.</summary>
internal static class Sysctls
{
    private static readonly HashSet<string> Safe = new(StringComparer.Ordinal)
    {
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    };

    /// <summary>Why the Pod cannot run here, or null.</summary>
    public static string? Refused(Pod pod, IReadOnlyList<string> allowedUnsafe)
    {
        foreach (var sysctl in pod.Spec.SecurityContext?.Sysctls ?? [])
        {
            var name = sysctl.Name.Replace('/', '.');
            if (!Safe.Contains(name) && !allowedUnsafe.Any(p => Matches(name, p)))
                return $"forbidden sysctl: \"{sysctl.Name}\" not allowlisted";
            if (name.StartsWith("net.", StringComparison.Ordinal) && pod.Spec.HostNetwork)
                return $"forbidden sysctl: \"{sysctl.Name}\" not allowed with host net enabled";
            if (name.StartsWith("kernel.", StringComparison.Ordinal) && pod.Spec.HostIPC)
                return $"forbidden sysctl: \"{sysctl.Name}\" not allowed with host ipc enabled";
        }
        return null;
    }

    private static bool Matches(string name, string pattern) =>
        pattern.EndsWith('*') ? name.StartsWith(pattern[..^1].Replace('/', '.'), StringComparison.Ordinal) : name == pattern.Replace('/', '.');
}
