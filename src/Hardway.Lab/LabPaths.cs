namespace Hardway.Lab;

/// <summary>Where things of the lab are on the host. Caches (base tree, images) outlive `down`; what belongs to machines does not.</summary>
public sealed record LabPaths(string Root = LabPaths.DefaultRoot)
{
    public const string DefaultRoot = "/var/lib/hardway";

    /// <summary>Base trees, one folder a content key.</summary>
    public string Base => Path.Combine(Root, "base");

    /// <summary>Image archives, named by content key.</summary>
    public string Images => Path.Combine(Root, "images");

    /// <summary>One folder a machine: overlay, mount point, plain folders, log.</summary>
    public string Machines => Path.Combine(Root, "machines");

    /// <summary>What must be put back or known while the lab is up.</summary>
    public string State => Path.Combine(Root, "lab");

    /// <summary>The jumpbox's SSH key; its public half is what a machine's image trusts for the first contact.</summary>
    public string SshKey => Path.Combine(Root, "ssh", "id_ed25519");

    /// <summary>Host keys of the lab's machines, as known_hosts wants them.</summary>
    public string KnownHosts => Path.Combine(Root, "ssh", "known_hosts");

    /// <summary>Clusters by name: certificates, kubeconfigs, transcript.</summary>
    public string Clusters => Path.Combine(Root, "clusters");

    public string AdminKubeconfig => Path.Combine(Clusters, "default", "admin.kubeconfig");

    public string MachineFolder(string name) => Path.Combine(Machines, name);

    public string MountPoint(string name) => Path.Combine(Machines, name, "root");

    public string MachineLog(string name) => Path.Combine(Machines, name, "console.log");
}
