using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;
using Hardway.Pki;

namespace Hardway.ApiServer.Kubelets;

/// <summary>Where a kubelet is, and how it is connected to: TLS with this server's client certificate, its own checked against --kubelet-certificate-authority.</summary>
internal sealed class NodeConnector(ApiServerOptions options, IResourceReader reader) : IDisposable
{
    private static readonly TimeSpan s_connect = TimeSpan.FromSeconds(10);
    private readonly CertificateSource? _client = options.KubeletClientCertificate.Length > 0 ? new CertificateSource(options.KubeletClientCertificate, options.KubeletClientKey) : null;
    private readonly TrustBundle? _trust = options.KubeletCertificateAuthority.Length > 0 ? TrustBundle.Read(options.KubeletCertificateAuthority) : null;
    private SocketsHttpHandler? _handler;

    /// <summary>https://HOST:PORT of the node's kubelet.</summary>
    public Uri Locate(string nodeName)
    {
        var node = reader.Get<Node>("", nodeName) ?? throw Statuses.NotFound("", "nodes", nodeName);
        foreach (var type in options.KubeletAddressTypes)
        {
            if (node.Status.Addresses?.Find(a => a.Type == type && a.Address.Length > 0) is { } found && (type != "Hostname" || Resolves(node, found.Address)))
            {
                var host = found.Address.Contains(':') ? $"[{found.Address}]" : found.Address;
                var port = node.Status.DaemonEndpoints.KubeletEndpoint.Port is > 0 and var given ? given : 10250;
                return new Uri($"https://{host}:{port}");
            }
        }

        throw Statuses.Internal($"no preferred addresses found for node {nodeName}; known addresses: {string.Join(", ", (node.Status.Addresses ?? []).Select(a => a.Type + "=" + a.Address))}");
    }

    /// <summary>For requests that are answered once: connections are kept and shared.</summary>
    public HttpMessageInvoker Invoker()
    {
        var handler = Volatile.Read(ref _handler) ?? Interlocked.CompareExchange(ref _handler, NewHandler(), null) ?? _handler;
        return new HttpMessageInvoker(handler, disposeHandler: false);
    }

    /// <summary>A TLS connection of one's own, for upgrades.</summary>
    public async Task<Stream> ConnectAsync(Uri target, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_connect);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(target.DnsSafeHost, target.Port, limit.Token).ConfigureAwait(false);
            var stream = new NetworkStream(socket, ownsSocket: true);
            if (target.Scheme != "https")
            {
                return stream;
            }

            var tls = new SslStream(stream, leaveInnerStreamOpen: false);
            var ssl = Ssl();
            ssl.TargetHost = target.DnsSafeHost;
            ssl.ApplicationProtocols = [SslApplicationProtocol.Http11];
            await tls.AuthenticateAsClientAsync(ssl, limit.Token).ConfigureAwait(false);
            return tls;
        }
        catch (Exception e) when (e is SocketException or AuthenticationException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            socket.Dispose();
            throw Unreachable(target, e);
        }
    }

    public static ApiException Unreachable(Uri target, Exception e) =>
        Statuses.Internal($"error dialing backend {target.Authority}: {(e is OperationCanceledException ? "no answer in time" : e.InnerException?.Message ?? e.Message)}", e);

    public void Dispose() => _handler?.Dispose();

    private SocketsHttpHandler NewHandler() => new()
    {
        SslOptions = Ssl(),
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = s_connect,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
    };

    private SslClientAuthenticationOptions Ssl() => new()
    {
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ClientCertificateContext = _client?.Context,
        // Without an authority a kubelet's certificate is not checked, as upstream has it.
        RemoteCertificateValidationCallback = _trust is { } trust ? trust.ServerValidation : AcceptUnchecked,
    };

    private static bool AcceptUnchecked(object sender, System.Security.Cryptography.X509Certificates.X509Certificate? certificate, System.Security.Cryptography.X509Certificates.X509Chain? chain, SslPolicyErrors errors) =>
        certificate is not null;

    /// <summary>A Hostname that this machine cannot resolve is passed over when the node has an address.</summary>
    private static bool Resolves(Node node, string name)
    {
        if (IPAddress.TryParse(name, out _) || node.Status.Addresses?.Exists(a => a.Type == "InternalIP") != true)
        {
            return true;
        }

        try
        {
            return Dns.GetHostAddresses(name).Length > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
