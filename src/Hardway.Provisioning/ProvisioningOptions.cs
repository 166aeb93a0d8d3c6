using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Ssh;

namespace Hardway.Provisioning;

/// <summary>An image archive (OCI or docker tar) and the names under which the nodes shall know what is in it.</summary>
public sealed record ImageArchive(string Path, IReadOnlyList<string> References);

/// <summary>What to provision, with what, and where the cluster's own files are kept.</summary>
public sealed record ProvisioningOptions
{
    public required MachineDatabase Machines { get; init; }

    /// <summary>PKI, kubeconfigs, SSH key, transcript; made when missing (0700).</summary>
    public required string ClusterDirectory { get; init; }

    /// <summary>The self-contained single file that acts as every component.</summary>
    public required string Binary { get; init; }

    /// <summary>Archives to import on the nodes; empty where nodes pull from a registry.</summary>
    public IReadOnlyList<ImageArchive> Images { get; init; } = [];

    public SshOptions Ssh { get; init; } = new();

    /// <summary>Whether to keep a block for the machines in this computer's own /etc/hosts, so that kubectl finds the API by name.</summary>
    public bool JumpboxHosts { get; init; } = true;

    /// <summary>This computer's hosts file.</summary>
    public string HostsFile { get; init; } = "/etc/hosts";

    /// <summary>Addresses for LoadBalancer Services, such as "10.240.0.200-10.240.0.239": unused ones of the nodes' own network. Empty: the ConfigMap kube-system/load-balancer is the operator's.</summary>
    public string LoadBalancerPool { get; init; } = "";

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
