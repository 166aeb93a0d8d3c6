using System.Security.Cryptography;
using Hardway.Provisioning.Compute;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Cluster;

/// <summary>The jumpbox's own files made from the certificates: kubeconfigs, the encryption configuration, the host lookup table, machines.txt.</summary>
internal sealed class ConfigurationStep(ClusterModel cluster) : Step("configuration", "", "certificates")
{
    /// <summary>A server's controller manager and scheduler use the API server beside them: no other machine's failure is theirs, and the Lease decides who leads.</summary>
    private static readonly string _local = $"https://127.0.0.1:{ClusterAddresses.ApiPort}";

    public override string Explain =>
        $"Each client gets a kubeconfig with its own certificate. Controller managers and schedulers use the API server of their own machine ({_local}); "
        + $"kubelets, kube-proxies and you use {cluster.EndpointUrl}. The encryption configuration holds a random key that encrypts Secrets in etcd.";

    public override string Expected => "the files hold what the machine database and the certificates say";

    public override bool IsLocal => true;

    public override IReadOnlyList<StepItem> Contents =>
        [.. FilePaths().Append(cluster.Files.EncryptionConfiguration).Select(p => new StepItem("file", p, "600, on the jumpbox"))];

    public override Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation)
    {
        var missing = Files().Where(f => !PrivateFile.Is(f.Path, f.Text)).Select(f => f.Path).ToList();
        if (!File.Exists(cluster.Files.EncryptionConfiguration))
        {
            missing.Add(cluster.Files.EncryptionConfiguration);
        }

        return Task.FromResult(missing.Count == 0
            ? StepCheck.Good
            : StepCheck.Missing("files " + string.Join(", ", missing.Select(Path.GetFileName)), [.. missing.Select(p => new StepItem("file", p, "600, on the jumpbox"))]));
    }

    public override async Task<string> VerifyAsync(StepContext context, CancellationToken cancellation)
    {
        var check = await CheckAsync(context, cancellation).ConfigureAwait(false);
        return check.InPlace ? $"{Contents.Count} files are in place" : throw new Hosting.ComponentException(check.Reason);
    }

    public override Task ApplyAsync(StepContext context, CancellationToken cancellation)
    {
        foreach (var (path, text) in Files().Where(f => !PrivateFile.Is(f.Path, f.Text)))
        {
            PrivateFile.Write(path, text);
            cluster.Transcript.Note(Name, "jumpbox", $"wrote {path} (0600)");
        }

        if (!File.Exists(cluster.Files.EncryptionConfiguration))
        {
            PrivateFile.Write(cluster.Files.EncryptionConfiguration, Encryption(RandomNumberGenerator.GetBytes(32)));
            cluster.Transcript.Note(Name, "jumpbox", $"wrote {cluster.Files.EncryptionConfiguration} (0600)");
        }

        return Task.CompletedTask;
    }

    internal static string Encryption(byte[] key) => $"""
        kind: EncryptionConfiguration
        apiVersion: apiserver.config.k8s.io/v1
        resources:
          - resources:
              - secrets
            providers:
              - aescbc:
                  keys:
                    - name: key1
                      secret: {Convert.ToBase64String(key)}
              - identity: {"{}"}

        """;

    private IEnumerable<string> FilePaths() =>
    [
        cluster.Files.Machines, cluster.Files.Hosts, cluster.Files.AdminKubeconfig,
        .. ((string[])["kube-controller-manager", "kube-scheduler", "kube-proxy", .. cluster.Machines.Nodes.Select(n => n.HostName)]).Select(cluster.Files.Kubeconfig),
    ];

    private List<(string Path, string Text)> Files()
    {
        List<(string Path, string Text)> files =
        [
            (cluster.Files.Machines, cluster.Machines.Text),
            (cluster.Files.Hosts, HostTable.Render(cluster.Machines)),
            (cluster.Files.AdminKubeconfig, Render("admin", "admin", cluster.EndpointUrl)),
            (cluster.Files.Kubeconfig("kube-controller-manager"), Render("kube-controller-manager", "system:kube-controller-manager", _local)),
            (cluster.Files.Kubeconfig("kube-scheduler"), Render("kube-scheduler", "system:kube-scheduler", _local)),
            (cluster.Files.Kubeconfig("kube-proxy"), Render("kube-proxy", "system:kube-proxy", cluster.EndpointUrl)),
        ];
        files.AddRange(cluster.Machines.Nodes.Select(n =>
            (cluster.Files.Kubeconfig(n.HostName), Render(n.HostName, $"system:node:{n.HostName}", cluster.EndpointUrl))));
        return files;
    }

    private string Render(string certificate, string user, string server) => Kubeconfig.Render(
        server, cluster.Certificate(ClusterCertificates.Authority), user, cluster.Certificate(certificate), cluster.Key(certificate));
}
