using System.Security.Cryptography.X509Certificates;
using Hardway.Hosting;
using Hardway.Pki;

namespace Hardway.Client;

/// <summary>
/// Whom to talk to and as whom: one context of a kubeconfig file, or the service account mounted into a Pod. Immutable after loading;
/// files it names (certificates, tokens) are read when a connection or a request needs them, so that they may rotate.
/// </summary>
public sealed class KubeConfig
{
    private const string ServiceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

    public required Uri Server { get; init; }

    /// <summary>The name expected in the server's certificate, when it is not the URL's.</summary>
    public string? TlsServerName { get; init; }

    public bool InsecureSkipTlsVerify { get; init; }

    /// <summary>Null: the system's roots.</summary>
    public TrustBundle? Authorities { get; init; }

    /// <summary>The authorities as PEM, for who must hand them on (root CA publishing, bootstrap).</summary>
    public string? AuthoritiesPem { get; init; }

    /// <summary>Inline client certificate and key.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>Client certificate and key in files, read again when they change.</summary>
    public CertificateSource? ClientCertificateSource { get; init; }

    public string? Token { get; init; }
    public string? TokenFile { get; init; }
    public string? Username { get; init; }
    public string? Password { get; init; }
    public ExecCredentialConfig? Exec { get; init; }
    public string? ImpersonateUser { get; init; }
    public IReadOnlyList<string> ImpersonateGroups { get; init; } = [];
    public string? ImpersonateUid { get; init; }
    public IReadOnlyList<KeyValuePair<string, string>> ImpersonateExtra { get; init; } = [];
    public Uri? Proxy { get; init; }

    /// <summary>The context's namespace; "default" when it names none.</summary>
    public string Namespace { get; init; } = "default";

    /// <summary>Loads the current (or the named) context of a kubeconfig file. What is wrong is one line that names the file.</summary>
    public static KubeConfig Load(string path, string? context = null) => KubeConfigFile.Load(path, context);

    /// <summary>The file if one is named, otherwise the Pod's own service account.</summary>
    public static KubeConfig LoadOrInCluster(string? path) => string.IsNullOrEmpty(path) ? InCluster() : Load(path);

    /// <summary>The service account mounted into this Pod.</summary>
    public static KubeConfig InCluster()
    {
        var host = Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST");
        var port = Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT");
        if (string.IsNullOrEmpty(host) || string.IsNullOrEmpty(port))
            throw new ComponentException("no kubeconfig was given and this is not a Pod (KUBERNETES_SERVICE_HOST is not set): give --kubeconfig=FILE");
        var pem = File.ReadAllText(Path.Combine(ServiceAccountFolder, "ca.crt"));
        var namespaceFile = Path.Combine(ServiceAccountFolder, "namespace");
        return new KubeConfig
        {
            Server = new Uri($"https://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}"),
            Authorities = TrustBundle.Parse(pem),
            AuthoritiesPem = pem,
            TokenFile = Path.Combine(ServiceAccountFolder, "token"),
            Namespace = File.Exists(namespaceFile) ? File.ReadAllText(namespaceFile).Trim() : "default",
        };
    }

    /// <summary>The same server without any identity, for clients that bring their own token.</summary>
    public KubeConfig Anonymous() => new()
    {
        Server = Server,
        TlsServerName = TlsServerName,
        InsecureSkipTlsVerify = InsecureSkipTlsVerify,
        Authorities = Authorities,
        AuthoritiesPem = AuthoritiesPem,
        Proxy = Proxy,
        Namespace = Namespace,
    };
}

/// <summary>A kubeconfig's exec plugin: a program that prints an ExecCredential.</summary>
public sealed record ExecCredentialConfig(string ApiVersion, string Command, IReadOnlyList<string> Arguments, IReadOnlyList<KeyValuePair<string, string>> Environment, bool ProvideClusterInfo, string InstallHint = "");
