using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hardway.ApiServer.Serving;
using Hardway.Hosting;
using Hardway.Pki;

namespace Hardway.ApiServer.Tests.Serving;

public sealed class TlsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tls").FullName;

    [Fact]
    public void A_client_gets_the_certificate_for_the_name_that_it_asks_for()
    {
        var options = new ApiServerOptions();
        options.Tls.CertFile = Write("default", "localhost");
        options.Tls.KeyFile = Key("default");
        Parse(options.Tls, $"--tls-sni-cert-key={Write("named", "one.example.test")},{Key("named")}", $"--tls-sni-cert-key={Write("told", "other.test")},{Key("told")}:*.wild.test,exact.test");
        Assert.Empty(options.Tls.Problems());
        var certificates = new ServingCertificates(options, TimeProvider.System);
        Assert.Equal("CN=named", certificates.For("one.example.test").TargetCertificate.Subject);
        Assert.Equal("CN=told", certificates.For("a.wild.test").TargetCertificate.Subject);
        Assert.Equal("CN=told", certificates.For("EXACT.test").TargetCertificate.Subject);
        Assert.Equal("CN=default", certificates.For("a.b.wild.test").TargetCertificate.Subject);
        Assert.Equal("CN=default", certificates.For("other.test").TargetCertificate.Subject);
        Assert.Equal("CN=default", certificates.For(null).TargetCertificate.Subject);
    }

    [Fact]
    public void Versions_and_suites_are_read_and_unknown_ones_are_problems()
    {
        var tls = new TlsOptions();
        Parse(tls, "--tls-min-version=VersionTLS13", "--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        Assert.Empty(tls.Problems());
        Assert.Equal(SslProtocols.Tls13, tls.Protocols);
        Assert.Contains(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.Suites!);
        Assert.Contains(TlsCipherSuite.TLS_AES_128_GCM_SHA256, tls.Suites!);
        var wrong = new TlsOptions();
        Parse(wrong, "--tls-cipher-suites=TLS_FROB");
        Assert.Contains("TLS_FROB", Assert.Single(wrong.Problems()), StringComparison.Ordinal);
        var flags = new FlagSet("t", "t");
        new TlsOptions().AddFlags(flags);
        Assert.False(flags.TryParse(["--tls-min-version=VersionSSL3"], TextWriter.Null, TextWriter.Null, out _));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Parse(TlsOptions tls, params string[] args)
    {
        var flags = new FlagSet("t", "t");
        tls.AddFlags(flags);
        Assert.True(flags.TryParse(args, TextWriter.Null, TextWriter.Null, out _));
    }

    private string Key(string name) => Path.Combine(_folder, name + ".key");

    private string Write(string name, string host)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        var path = Path.Combine(_folder, name + ".crt");
        PemFiles.WriteCertificate(path, made.ExportCertificatePem() + "\n");
        PemFiles.WriteKey(Key(name), key.ExportPkcs8PrivateKeyPem() + "\n");
        return path;
    }
}
