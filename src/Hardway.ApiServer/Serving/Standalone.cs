using System.Net;
using System.Security.Cryptography;
using System.Text;
using Hardway.Hosting;
using Hardway.Pki;

namespace Hardway.ApiServer.Serving;

/// <summary>
/// kube-apiserver without --etcd-servers is a cluster's whole control plane store in one process. What its command line then leaves out is filled in:
/// authorities, certificates, keys and a kubeconfig, made once in the data folder, and RBAC. What is given is left as it is.
/// </summary>
internal sealed class Standalone(string directory, TimeProvider time)
{
    /// <summary>Where the kubeconfig of a cluster administrator is.</summary>
    public string Kubeconfig => PathOf("admin.kubeconfig");

    /// <summary>Null where the command line names etcd, or asks for help only.</summary>
    public static Standalone? Of(IReadOnlyList<string> args, TimeProvider time) =>
        args.Any(a => Is(a, "etcd-servers") || a is "--help" or "-h" or "--version") ? null : new Standalone(Path.Combine(DataDir(args), "pki"), time);

    /// <summary>The command line with what is missing in front; makes the files that it names.</summary>
    /// <exception cref="ComponentException">The folder cannot be written, or what is in it cannot be read.</exception>
    public string[] Complete(IReadOnlyList<string> args)
    {
        try
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            using var authority = Authority();
            Issue(authority, "apiserver", new CertificateSpec
            {
                CommonName = "kube-apiserver",
                DnsNames = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", Environment.MachineName],
                Addresses = [IPAddress.Loopback, IPAddress.IPv6Loopback, FirstService(args)],
                Use = CertificateUse.Server,
            });
            WriteSigningKey();
            WriteKubeconfig(authority, Value(args, "secure-port") ?? "6443");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ComponentException($"kube-apiserver keeps its certificates in {directory} when it runs without --etcd-servers; that does not work: {e.Message}. Give --data-dir=FOLDER or --etcd-servers=URL", e);
        }

        (string Flag, string Value)[] wanted =
        [
            ("data-dir", DataDir(args)), ("client-ca-file", PathOf("ca.crt")), ("tls-cert-file", PathOf("apiserver.crt")), ("tls-private-key-file", PathOf("apiserver.key")),
            ("service-account-issuer", "https://kubernetes.default.svc"), ("service-account-key-file", PathOf("sa.pub")), ("service-account-signing-key-file", PathOf("sa.key")),
            ("authorization-mode", "Node,RBAC"),
        ];
        var missing = wanted.Where(w => !args.Any(a => Is(a, w.Flag)));
        // A certificate and its key, and the keys of tokens, belong together.
        missing = args.Any(a => Is(a, "tls-cert-file") || Is(a, "tls-private-key-file")) ? missing.Where(w => !w.Flag.StartsWith("tls-", StringComparison.Ordinal)) : missing;
        missing = args.Any(a => Is(a, "service-account-signing-key-file") || Is(a, "service-account-key-file")) ? missing.Where(w => !w.Flag.EndsWith("-key-file", StringComparison.Ordinal) || w.Flag.StartsWith("tls-", StringComparison.Ordinal)) : missing;
        return [.. missing.Select(w => $"--{w.Flag}={w.Value}"), .. args];
    }

    private static bool Is(string arg, string flag) => arg == "--" + flag || arg.StartsWith($"--{flag}=", StringComparison.Ordinal);

    private static string? Value(IReadOnlyList<string> args, string flag)
    {
        for (var i = args.Count - 1; i >= 0; i--)
        {
            if (Is(args[i], flag))
            {
                var equals = args[i].IndexOf('=');
                return equals > 0 ? args[i][(equals + 1)..] : i + 1 < args.Count ? args[i + 1] : null;
            }
        }

        return null;
    }

    /// <summary>The default is the system's folder for root and the user's own for others.</summary>
    private static string DataDir(IReadOnlyList<string> args) => Value(args, "data-dir") ?? (Environment.IsPrivilegedProcess
        ? new ApiServerOptions().DataDir
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "hardway", "kube-apiserver"));

    private static IPAddress FirstService(IReadOnlyList<string> args)
    {
        var range = Value(args, "service-cluster-ip-range") ?? new ApiServerOptions().ServiceClusterIpRange;
        if (!IPNetwork.TryParse(range.Split(',')[0], out var network))
        {
            return IPAddress.Loopback;
        }

        var bytes = network.BaseAddress.GetAddressBytes();
        bytes[^1] |= 1;
        return new IPAddress(bytes);
    }

    private string PathOf(string name) => Path.Combine(directory, name);

    private CertificateAuthority Authority()
    {
        var (certificate, key) = (PathOf("ca.crt"), PathOf("ca.key"));
        if (File.Exists(certificate) && File.Exists(key))
        {
            return CertificateAuthority.LoadFiles(certificate, key, time);
        }

        var made = CertificateAuthority.Create("kubernetes", time);
        PemFiles.WriteKey(key, made.KeyPem);
        PemFiles.WriteCertificate(certificate, made.CertificatePem);
        return made;
    }

    /// <summary>Makes a certificate anew when it is missing or in its last month.</summary>
    private void Issue(CertificateAuthority authority, string name, CertificateSpec spec)
    {
        var (certificate, key) = (PathOf(name + ".crt"), PathOf(name + ".key"));
        if (File.Exists(certificate) && File.Exists(key) && PemFiles.ReadCertificates(certificate)[0].NotAfter.ToUniversalTime() > time.GetUtcNow().AddDays(30).UtcDateTime)
        {
            return;
        }

        var made = authority.Issue(spec);
        PemFiles.WriteKey(key, made.KeyPem);
        PemFiles.WriteCertificate(certificate, made.CertificatePem);
    }

    private void WriteSigningKey()
    {
        if (File.Exists(PathOf("sa.key")) && File.Exists(PathOf("sa.pub")))
        {
            return;
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        PemFiles.WriteKey(PathOf("sa.key"), key.ExportPkcs8PrivateKeyPem() + "\n");
        PemFiles.WriteCertificate(PathOf("sa.pub"), key.ExportSubjectPublicKeyInfoPem() + "\n");
    }

    private void WriteKubeconfig(CertificateAuthority authority, string port)
    {
        Issue(authority, "admin", new CertificateSpec { CommonName = "kubernetes-admin", Organizations = ["system:masters"] });
        PemFiles.WriteKey(Kubeconfig, $"""
            apiVersion: v1
            kind: Config
            clusters:
            - name: hardway
              cluster:
                server: https://127.0.0.1:{port}
                certificate-authority-data: {Encode("ca.crt")}
            users:
            - name: admin
              user:
                client-certificate-data: {Encode("admin.crt")}
                client-key-data: {Encode("admin.key")}
            contexts:
            - name: hardway
              context:
                cluster: hardway
                user: admin
            current-context: hardway

            """);
    }

    private string Encode(string name) => Convert.ToBase64String(Encoding.ASCII.GetBytes(File.ReadAllText(PathOf(name))));
}
