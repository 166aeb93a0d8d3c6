using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Hardway.Hosting;
using Hardway.Pki;

namespace Hardway.Provisioning.Cluster;

/// <summary>
/// What a TLS server shows. A handshake from the jumpbox that believes anything (that is what is to be looked at), sends nothing, and hangs up. A client certificate
/// is offered where the server insists.
/// </summary>
internal sealed record Handshake(X509Certificate2 Certificate) : IDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(3);

    public IReadOnlyList<string> Names => [.. DnsNames, .. Addresses];

    public IReadOnlyList<string> DnsNames => [.. Alternative?.EnumerateDnsNames() ?? []];

    public IReadOnlyList<string> Addresses => [.. (Alternative?.EnumerateIPAddresses() ?? []).Select(a => a.ToString())];

    private X509SubjectAlternativeNameExtension? Alternative => Certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();

    public static async Task<Handshake> ShakeAsync(IPAddress address, int port, (string Certificate, string Key)? client, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_limit);
        byte[]? shown = null;
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, port), limit.Token).ConfigureAwait(false);
            var stream = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false);
            await using (stream.ConfigureAwait(false))
            {
                await stream.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions
                    {
                        TargetHost = address.ToString(),
                        ClientCertificateContext = client is var (certificate, key)
                            ? SslStreamCertificateContext.Create(PemFiles.ReadWithKey(certificate, key), null, offline: true)
                            : null,
#pragma warning disable CA5359 // What it shows is what is looked at; nothing is sent to it or believed.
                        RemoteCertificateValidationCallback = (_, remote, _, _) =>
                        {
                            shown = remote?.GetRawCertData();
                            return true;
                        },
#pragma warning restore CA5359
                    },
                    limit.Token).ConfigureAwait(false);
            }
        }
        catch (Exception) when (shown is not null)
        {
            // It was seen; a server that wants another client certificate ends the handshake after that.
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ComponentException($"no TLS handshake with {address}:{port} within {_limit.TotalSeconds:0} s");
        }
        catch (Exception e) when (e is SocketException or AuthenticationException or IOException)
        {
            throw new ComponentException($"no TLS handshake with {address}:{port}: {Reasons.Of(e)}", e);
        }

        return shown is null ? throw new ComponentException($"{address}:{port} showed no certificate") : new Handshake(X509CertificateLoader.LoadCertificate(shown));
    }

    public void Dispose() => Certificate.Dispose();
}
