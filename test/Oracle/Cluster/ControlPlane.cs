using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hardway.Oracle.Tests.Http;
using Hardway.Pki;

[assembly: AssemblyFixture(typeof(Hardway.Oracle.Tests.Cluster.ControlPlane))]

namespace Hardway.Oracle.Tests.Cluster;

/// <summary>
/// etcd, kube-apiserver, kube-controller-manager and kube-scheduler as processes of the built program, on free loopback ports, with the settings that
/// the recordings assume: see the comment at the flags. Fresh for each run; gone at its end, its logs stay in artifacts/oracle.
/// </summary>
public sealed class ControlPlane : IAsyncLifetime
{
    internal const string AdminName = "admin";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("hardway-oracle-").FullName;
    private readonly List<ComponentProcess> _processes = [];
    private readonly int[] _ports = FreePorts(5);
    private X509Certificate2? _authority;
    private X509Certificate2? _admin;

    /// <summary>A name made for each run: scenarios put it into what they create.</summary>
    internal string Run { get; } = "r" + RandomNumberGenerator.GetString("0123456789", 2) + RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz", 2);

    internal string LogFolder { get; } = Path.Combine(ProgramFile.Repository, "artifacts/oracle");

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(LogFolder);
        WriteCertificates();
        Start("/usr/bin/etcd", "etcd", "--data-dir", $"{_folder}/etcd", "--log-level", "error", "--unsafe-no-fsync", "--listen-client-urls", Url("http", _ports[0]), "--advertise-client-urls", Url("http", _ports[0]), "--listen-peer-urls", Url("http", _ports[1]), "--initial-advertise-peer-urls", Url("http", _ports[1]), "--initial-cluster", $"default={Url("http", _ports[1])}");
        StartApiServer();
        await WaitReadyAsync();
        Start(ProgramFile.Path, "kube-controller-manager", "--kubeconfig", File("kcm.kubeconfig"), "--secure-port", Port(3), "--service-account-private-key-file", File("sa.key"), "--root-ca-file", File("ca.crt"), "--use-service-account-credentials=true", "--service-cluster-ip-range=10.32.0.0/24");
        Start(ProgramFile.Path, "kube-scheduler", "--kubeconfig", File("scheduler.kubeconfig"), "--secure-port", Port(4));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in Enumerable.Reverse(_processes)) await process.DisposeAsync();
        _authority?.Dispose();
        _admin?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    internal HttpConnection Connect(bool withCertificate) => new(_ports[2], _authority!, withCertificate ? _admin : null);

    /// <summary>The recorded server's settings; all others are the defaults.</summary>
    private void StartApiServer() => Start(
        ProgramFile.Path, "kube-apiserver", "--etcd-servers", Url("http", _ports[0]), "--secure-port", Port(2), "--advertise-address=10.240.0.70",
        "--service-cluster-ip-range=10.32.0.0/24", "--service-account-issuer=https://kubernetes.default.svc", "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
        "--client-ca-file", File("ca.crt"), "--tls-cert-file", File("apiserver.crt"), "--tls-private-key-file", File("apiserver.key"),
        "--service-account-key-file", File("sa.pub"), "--service-account-signing-key-file", File("sa.key"),
        "--requestheader-client-ca-file", File("ca.crt"), "--requestheader-allowed-names=front-proxy", "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group", "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--proxy-client-cert-file", File("front-proxy.crt"), "--proxy-client-key-file", File("front-proxy.key"));

    private async Task WaitReadyAsync()
    {
        var began = TimeProvider.System.GetTimestamp();
        for (var seen = "nothing"; ; await Task.Delay(50, TestContext.Current.CancellationToken))
        {
            if (_processes.Select(p => p.Ended).FirstOrDefault(e => e is not null) is { } ended) Assert.Fail(ended);
            if (TimeProvider.System.GetElapsedTime(began) > StartLimit) Assert.Fail($"kube-apiserver is not ready after {StartLimit.TotalSeconds:0} s, /readyz: {seen}; see {LogFolder}");
            await using var connection = Connect(withCertificate: true);
            try
            {
                var answer = await connection.SendAsync("GET", "/readyz", [], null, null, TestContext.Current.CancellationToken);
                if (answer.Status == 200) return;
                seen = answer.Status.ToString(CultureInfo.InvariantCulture);
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                seen = e.Message;
            }
        }
    }

    private void Start(string program, string name, params string[] arguments)
        => _processes.Add(ComponentProcess.Start(program, program == ProgramFile.Path ? [name, .. arguments] : arguments, Path.Combine(LogFolder, name + ".log")));

    private void WriteCertificates()
    {
        using var authority = CertificateAuthority.Create("oracle");
        PemFiles.WriteCertificate(File("ca.crt"), authority.CertificatePem);
        Write("apiserver", new CertificateSpec { CommonName = "kube-apiserver", DnsNames = ["localhost", "kubernetes.default.svc"], Addresses = [IPAddress.Loopback], Use = CertificateUse.Server | CertificateUse.Client });
        Write("front-proxy", new CertificateSpec { CommonName = "front-proxy" });
        Write("admin", new CertificateSpec { CommonName = AdminName, Organizations = ["system:masters"] });
        Write("kcm", new CertificateSpec { CommonName = "system:kube-controller-manager" });
        Write("scheduler", new CertificateSpec { CommonName = "system:kube-scheduler" });
        using var tokens = RSA.Create(2048);
        PemFiles.WriteKey(File("sa.key"), tokens.ExportPkcs8PrivateKeyPem());
        PemFiles.WriteCertificate(File("sa.pub"), tokens.ExportSubjectPublicKeyInfoPem());
        _authority = X509Certificate2.CreateFromPem(authority.CertificatePem);
        _admin = PemFiles.ReadWithKey(File("admin.crt"), File("admin.key"));

        void Write(string name, CertificateSpec spec)
        {
            var files = authority.Issue(spec);
            PemFiles.WriteCertificate(File(name + ".crt"), files.CertificatePem);
            PemFiles.WriteKey(File(name + ".key"), files.KeyPem);
            System.IO.File.WriteAllText(File(name + ".kubeconfig"), $$"""
                apiVersion: v1
                kind: Config
                clusters: [{name: oracle, cluster: {server: "{{Url("https", _ports[2])}}", certificate-authority: {{File("ca.crt")}} } }]
                users: [{name: oracle, user: {client-certificate: {{File(name + ".crt")}}, client-key: {{File(name + ".key")}} } }]
                contexts: [{name: oracle, context: {cluster: oracle, user: oracle} }]
                current-context: oracle
                """);
        }
    }

    private string File(string name) => Path.Combine(_folder, name);

    private string Port(int index) => _ports[index].ToString(CultureInfo.InvariantCulture);

    private static string Url(string scheme, int port) => string.Create(CultureInfo.InvariantCulture, $"{scheme}://127.0.0.1:{port}");

    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(l => l.Start());
        var ports = listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port).ToArray();
        listeners.ForEach(l => l.Dispose());
        return ports;
    }
}
