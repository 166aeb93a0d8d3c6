namespace Hardway.Provisioning.Cluster;

/// <summary>Where the files of one cluster are on the jumpbox.</summary>
public sealed class ClusterFiles(string directory)
{
    public string Directory { get; } = Path.GetFullPath(directory);

    public string Machines => Path.Combine(Directory, "machines.txt");

    public string Hosts => Path.Combine(Directory, "hosts");

    public string Transcript => Path.Combine(Directory, "transcript.log");

    /// <summary>What the last run changed.</summary>
    public string Receipt => Path.Combine(Directory, "receipt.txt");

    /// <summary>What each member of etcd was first started with.</summary>
    internal string EtcdBootstrap => Path.Combine(Directory, "etcd-bootstrap");

    public string Pki => Path.Combine(Directory, "pki");

    public string AdminKubeconfig => Path.Combine(Directory, "admin.kubeconfig");

    public string EncryptionConfiguration => Path.Combine(Directory, "encryption-config.yaml");

    public string Certificate(string name) => Path.Combine(Pki, name + ".crt");

    public string Key(string name) => Path.Combine(Pki, name + ".key");

    public string Kubeconfig(string name) => Path.Combine(Directory, "kubeconfig", name + ".kubeconfig");

    internal void Create()
    {
        const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        System.IO.Directory.CreateDirectory(Directory, Mine);
        System.IO.Directory.CreateDirectory(Pki, Mine);
        System.IO.Directory.CreateDirectory(Path.Combine(Directory, "kubeconfig"), Mine);
    }
}
