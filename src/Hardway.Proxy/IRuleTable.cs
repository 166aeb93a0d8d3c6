using Hardway.Proxy.Model;

namespace Hardway.Proxy;

/// <summary>One address family's rules in the kernel. One caller at a time.</summary>
internal interface IRuleTable
{
    bool IsV6 { get; }

    /// <summary>For logs: "ip kube-proxy", "iptables".</summary>
    string Name { get; }

    /// <summary>Makes the rules match; what the program said when it failed, else null. Full: whatever is there is replaced.</summary>
    Task<string?> SyncAsync(IReadOnlyCollection<ServicePort> ports, bool full, CancellationToken cancel);

    /// <summary>Are the rules still there (nobody flushed them)?</summary>
    Task<bool> IsPresentAsync(CancellationToken cancel);

    /// <summary>Removes everything of ours.</summary>
    Task<string?> RemoveAsync(CancellationToken cancel);
}
