using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Hardway.Pki.Tests;

public sealed class CertificateAuthorityTests : IDisposable
{
    private readonly CertificateAuthority _authority = CertificateAuthority.Create("Test CA");
    private readonly string _directory = Directory.CreateTempSubdirectory("hardway-pki").FullName;

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_server_and_a_client_of_one_authority_trust_each_other_in_a_real_handshake()
    {
        var trust = TrustBundle.Parse(_authority.CertificatePem);
        var server = Source("server", new CertificateSpec { CommonName = "kubernetes", DnsNames = ["server.kubernetes.local"], Use = CertificateUse.Server });
        var client = Source("client", new CertificateSpec { CommonName = "admin", Organizations = ["system:masters"] });

        var seen = await HandshakeAsync(server, client, trust, trust, "server.kubernetes.local");

        Assert.Contains("CN=admin", seen, StringComparison.Ordinal);
        Assert.Contains("O=system:masters", seen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_under_another_name_or_of_another_authority_is_refused()
    {
        var trust = TrustBundle.Parse(_authority.CertificatePem);
        var server = Source("server", new CertificateSpec { CommonName = "kubernetes", DnsNames = ["server.kubernetes.local"], Use = CertificateUse.Server });
        var client = Source("client", new CertificateSpec { CommonName = "admin" });
        using var other = CertificateAuthority.Create("Other CA");

        await Assert.ThrowsAnyAsync<Exception>(() => HandshakeAsync(server, client, trust, trust, "evil.example"));
        await Assert.ThrowsAnyAsync<Exception>(() =>
            HandshakeAsync(server, client, TrustBundle.Parse(other.CertificatePem), trust, "server.kubernetes.local"));
    }

    [Fact]
    public void A_certificate_is_good_only_for_its_purpose_and_its_time()
    {
        var now = new FixedTime(DateTimeOffset.UtcNow);
        using var authority = CertificateAuthority.Create("CA", now);
        var files = authority.Issue(new CertificateSpec { CommonName = "kubelet", Lifetime = TimeSpan.FromDays(1) });
        using var leaf = PemFiles.ParseWithKey(files.CertificatePem, files.KeyPem);

        Assert.True(TrustBundle.Parse(authority.CertificatePem, now).Verify(leaf, KeyPurpose.ClientAuthentication, out _));
        Assert.False(TrustBundle.Parse(authority.CertificatePem, now).Verify(leaf, KeyPurpose.ServerAuthentication, out var reason));
        Assert.NotEmpty(reason);
        var later = new FixedTime(now.GetUtcNow().AddDays(2));
        Assert.False(TrustBundle.Parse(authority.CertificatePem, later).Verify(leaf, KeyPurpose.ClientAuthentication, out _));
    }

    [Fact]
    public void Names_addresses_and_usages_are_in_the_certificate()
    {
        var files = _authority.Issue(new CertificateSpec
        {
            CommonName = "kubernetes",
            DnsNames = ["kubernetes", "kubernetes.default.svc.cluster.local"],
            Addresses = [IPAddress.Parse("10.32.0.1"), IPAddress.Loopback],
            Use = CertificateUse.Server | CertificateUse.Client,
        });
        using var leaf = X509Certificate2.CreateFromPem(files.CertificatePem);

        Assert.True(leaf.MatchesHostname("kubernetes.default.svc.cluster.local"));
        Assert.True(leaf.MatchesHostname("10.32.0.1"));
        Assert.False(leaf.MatchesHostname("10.32.0.2"));
        Assert.False(leaf.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
        var usages = leaf.Extensions.OfType<X509EnhancedKeyUsageExtension>().Single().EnhancedKeyUsages;
        Assert.Equal([KeyPurpose.ServerAuthentication, KeyPurpose.ClientAuthentication], usages.Cast<Oid>().Select(o => o.Value!));
        Assert.True(leaf.NotBefore < DateTime.Now);
    }

    [Fact]
    public void Openssl_accepts_the_chain_and_the_keys()
    {
        Write("ca", new CertificateFiles(_authority.CertificatePem, _authority.KeyPem));
        Write("leaf", _authority.Issue(new CertificateSpec { CommonName = "x", DnsNames = ["x"], Use = CertificateUse.Server }));
        Write("rsa", _authority.Issue(new CertificateSpec { CommonName = "service-accounts", Rsa = true }));

        Assert.Equal(0, Run("openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", PathOf("ca.crt"), PathOf("leaf.crt")));
        Assert.Equal(0, Run("openssl", "rsa", "-in", PathOf("rsa.key"), "-check", "-noout"));
    }

    [Fact]
    public void Keys_are_private_files_and_load_in_every_upstream_form()
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        foreach (var pem in new[]
        {
            ec.ExportPkcs8PrivateKeyPem(), rsa.ExportPkcs8PrivateKeyPem(), rsa.ExportRSAPrivateKeyPem(),
            "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + ec.ExportECPrivateKeyPem(),
        })
        {
            PemFiles.WriteKey(PathOf("k.key"), pem);
            using var key = PemFiles.ReadPrivateKey(PathOf("k.key"));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(PathOf("k.key")));
            Assert.Single(PemFiles.ReadPublicKeys(PathOf("k.key")));
        }
    }

    [Fact]
    public void An_authority_loaded_again_signs_what_the_first_one_is_trusted_for()
    {
        using var again = CertificateAuthority.Load(_authority.CertificatePem, _authority.KeyPem);
        var files = again.Issue(new CertificateSpec { CommonName = "x" });
        using var leaf = X509Certificate2.CreateFromPem(files.CertificatePem);
        Assert.True(TrustBundle.Parse(_authority.CertificatePem).Verify(leaf, KeyPurpose.ClientAuthentication, out _));

        using var other = CertificateAuthority.Create("Other");
        Assert.Throws<CryptographicException>(() => CertificateAuthority.Load(_authority.CertificatePem, other.KeyPem));
    }

    [Fact]
    public void A_renewed_certificate_is_seen_after_a_while_and_half_a_renewal_is_not()
    {
        var time = new FixedTime(DateTimeOffset.UtcNow);
        var first = _authority.Issue(new CertificateSpec { CommonName = "one" });
        var second = _authority.Issue(new CertificateSpec { CommonName = "two" });
        Write("r", first);
        var source = new CertificateSource(PathOf("r.crt"), PathOf("r.key"), time);

        PemFiles.WriteCertificate(PathOf("r.crt"), second.CertificatePem);
        File.SetLastWriteTimeUtc(PathOf("r.crt"), DateTime.UtcNow.AddSeconds(5));
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal("CN=one", source.Certificate.Subject);

        PemFiles.WriteKey(PathOf("r.key"), second.KeyPem);
        File.SetLastWriteTimeUtc(PathOf("r.key"), DateTime.UtcNow.AddSeconds(5));
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal("CN=two", source.Certificate.Subject);
    }

    private static async Task<string> HandshakeAsync(
        CertificateSource server, CertificateSource client, TrustBundle clientTrusts, TrustBundle serverTrusts, string name)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var outgoing = new TcpClient();
        await outgoing.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using var incoming = await listener.AcceptTcpClientAsync();
        await using var serverStream = new SslStream(incoming.GetStream());
        await using var clientStream = new SslStream(outgoing.GetStream());
        var accepting = serverStream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = server.Context,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = serverTrusts.ClientValidation,
        });
        await clientStream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = name,
            ClientCertificateContext = client.Context,
            RemoteCertificateValidationCallback = clientTrusts.ServerValidation,
        });
        await accepting;
        return serverStream.RemoteCertificate!.Subject;
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }

    private CertificateSource Source(string name, CertificateSpec spec)
    {
        Write(name, _authority.Issue(spec));
        return new CertificateSource(PathOf(name + ".crt"), PathOf(name + ".key"));
    }

    private void Write(string name, CertificateFiles files)
    {
        PemFiles.WriteCertificate(PathOf(name + ".crt"), files.CertificatePem);
        PemFiles.WriteKey(PathOf(name + ".key"), files.KeyPem);
    }

    private string PathOf(string name) => Path.Combine(_directory, name);

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        private DateTimeOffset _now = now;

        public override DateTimeOffset GetUtcNow() => _now;

        public override long GetTimestamp() => _now.UtcTicks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => _now += by;
    }
}
