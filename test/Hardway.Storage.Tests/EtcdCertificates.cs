using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hardway.Grpc;

namespace Hardway.Storage.Tests;

/// <summary>An authority, a server's and a client's certificate as files, made for one test.</summary>
internal sealed class EtcdCertificates : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hardway-certs-").FullName;
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2 _client;

    public EtcdCertificates()
    {
        _authority = New("etcd-ca", null);
        using var server = New("etcd", _authority);
        Write("ca", _authority);
        Write("server", server);
        using (var client = New("kube-apiserver", _authority))
        {
            Write("client", client);
        }

        _client = X509Certificate2.CreateFromPemFile(Path.Combine(_directory, "client.crt"), Path.Combine(_directory, "client.key"));
    }

    public string AuthorityFile => Path.Combine(_directory, "ca.crt");

    public string ServerFile => Path.Combine(_directory, "server.crt");

    public string ServerKeyFile => Path.Combine(_directory, "server.key");

    public GrpcTlsOptions Client => new() { TrustedRoots = [_authority], ClientCertificate = _client };

    public GrpcTlsOptions Nobody => new() { TrustedRoots = [_authority] };

    public void Dispose()
    {
        _client.Dispose();
        _authority.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static X509Certificate2 New(string name, X509Certificate2? issuer)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(issuer is null, false, 0, true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var from = TimeProvider.System.GetUtcNow().AddHours(-1);
        if (issuer is null)
        {
            return request.CreateSelfSigned(from, from.AddDays(2));
        }

        using var signed = request.Create(issuer, from, from.AddDays(1), RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }

    private void Write(string name, X509Certificate2 certificate)
    {
        File.WriteAllText(Path.Combine(_directory, name + ".crt"), certificate.ExportCertificatePem());
        using var key = certificate.GetRSAPrivateKey()!;
        File.WriteAllText(Path.Combine(_directory, name + ".key"), key.ExportPkcs8PrivateKeyPem());
    }
}
