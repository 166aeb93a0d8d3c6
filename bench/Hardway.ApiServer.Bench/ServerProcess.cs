using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Hardway.Pki;

namespace Hardway.ApiServer.Bench;

/// <summary>A kube-apiserver over an etcd, with RBAC and an authority of its own, as a process.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hardway-bench-").FullName;
    private readonly Process _process;
    private readonly long _started;

    public ServerProcess(string program, string etcd)
    {
        using var authority = CertificateAuthority.Create("bench");
        Write("ca", new CertificateFiles(authority.CertificatePem, authority.KeyPem));
        Write("server", authority.Issue(new CertificateSpec { CommonName = "kube-apiserver", DnsNames = ["localhost"], Addresses = [IPAddress.Loopback], Use = CertificateUse.Server }));
        var admin = authority.Issue(new CertificateSpec { CommonName = "admin", Organizations = ["system:masters"] });
        using var pem = X509Certificate2.CreateFromPem(admin.CertificatePem, admin.KeyPem);
        Admin = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        Port = FreePort();
        var start = new ProcessStartInfo(program) { RedirectStandardError = true };
        foreach (var arg in new[]
        {
            "kube-apiserver", $"--etcd-servers={etcd}", $"--secure-port={Port}", "--bind-address=127.0.0.1", "--advertise-address=10.240.0.70", "--authorization-mode=Node,RBAC", "--service-cluster-ip-range=10.32.0.0/24",
            $"--client-ca-file={At("ca.crt")}", $"--tls-cert-file={At("server.crt")}", $"--tls-private-key-file={At("server.key")}",
        })
        {
            start.ArgumentList.Add(arg);
        }

        _started = TimeProvider.System.GetTimestamp();
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
    }

    public int Port { get; }

    public X509Certificate2 Admin { get; }

    public string CertificateFile => At("server.crt");

    public string KeyFile => At("server.key");

    /// <summary>Resident memory in MB.</summary>
    public double Resident => double.Parse(
        File.ReadLines($"/proc/{_process.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;

    /// <summary>Processor time used so far, in user and kernel mode.</summary>
    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public int Id => _process.Id;

    /// <summary>From the program's start until /readyz says ok.</summary>
    public async Task<TimeSpan> ReadyAsync(HttpClient client)
    {
        while (true)
        {
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"kube-apiserver ended with {_process.ExitCode}");
            }

            try
            {
                using var answer = await client.GetAsync("/readyz").ConfigureAwait(false);
                if (answer.IsSuccessStatusCode)
                {
                    return TimeProvider.System.GetElapsedTime(_started);
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(5).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().ConfigureAwait(false);
        _process.Dispose();
        Admin.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private string At(string name) => Path.Combine(_directory, name);

    private void Write(string name, CertificateFiles files)
    {
        PemFiles.WriteCertificate(At(name + ".crt"), files.CertificatePem);
        PemFiles.WriteKey(At(name + ".key"), files.KeyPem);
    }
}
