using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.Pki;

namespace Hardway.ApiServer.Kubelets;

/// <summary>Where a node's kubelet listens.</summary>
internal sealed record KubeletEndpoint(string Host, int Port)
{
    public Uri Uri(string path) => new($"https://{(Host.Contains(':') ? "[" + Host + "]" : Host)}:{Port}{path}");
}

/// <summary>
/// Connections to kubelets: pooled requests for logs, and raw TLS streams for what gets upgraded. Safe for all threads; certificates are
/// read again when their files change.
/// </summary>
internal sealed class KubeletTransport : IDisposable
{
    private const int DefaultPort = 10250;
    private readonly KubeletOptions _options;
    private readonly IResourceReader _reader;
    private readonly CertificateSource? _certificate;
    private readonly TrustBundle? _trust;
    private readonly HttpMessageInvoker _http;

    public KubeletTransport(KubeletOptions options, IResourceReader reader)
    {
        _options = options;
        _reader = reader;
        _certificate = options.ClientCertificate.Length > 0 ? new CertificateSource(options.ClientCertificate, options.ClientKey) : null;
        _trust = options.CertificateAuthority.Length > 0 ? TrustBundle.Read(options.CertificateAuthority) : null;
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectTimeout = options.Timeout,
            AllowAutoRedirect = false,
            UseProxy = false,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            ConnectCallback = async (context, stop) => await ConnectAsync(new KubeletEndpoint(context.DnsEndPoint.Host, context.DnsEndPoint.Port), stop).ConfigureAwait(false),
        });
    }

    /// <exception cref="ApiException">The node is not known, or has no address.</exception>
    public KubeletEndpoint Locate(string nodeName)
    {
        var node = _reader.Get<Node>("", nodeName) ?? throw Statuses.NotFound("", "nodes", nodeName);
        var port = node.Status.DaemonEndpoints.KubeletEndpoint.Port;
        foreach (var type in _options.PreferredAddressTypes)
        {
            foreach (var address in node.Status.Addresses ?? [])
            {
                if (address.Type == type && address.Address.Length > 0 && Resolves(type, address.Address))
                {
                    return new KubeletEndpoint(address.Address, port == 0 ? DefaultPort : port);
                }
            }
        }

        throw Statuses.Internal($"the node {nodeName} has no address of the types {string.Join(", ", _options.PreferredAddressTypes)}");
    }

    /// <summary>Sends a plain request; the caller disposes the answer. The scheme is http: TLS is the connection's.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, KubeletEndpoint endpoint, CancellationToken cancellationToken)
    {
        try
        {
            return await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw Unreachable(endpoint, e);
        }
    }

    /// <summary>A TLS connection of its own.</summary>
    /// <exception cref="ApiException">The kubelet does not answer or its certificate is not trusted.</exception>
    public async Task<Stream> DialAsync(KubeletEndpoint endpoint, CancellationToken cancellationToken)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(_options.Timeout);
        try
        {
            return await ConnectAsync(endpoint, limited.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or System.Security.Authentication.AuthenticationException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw Unreachable(endpoint, e);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<Stream> ConnectAsync(KubeletEndpoint endpoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new DnsEndPoint(endpoint.Host, endpoint.Port), cancellationToken).ConfigureAwait(false);
            var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await tls.AuthenticateAsClientAsync(TlsOptions(endpoint.Host), cancellationToken).ConfigureAwait(false);
            return tls;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private SslClientAuthenticationOptions TlsOptions(string host) => new()
    {
        TargetHost = host,
        ClientCertificateContext = _certificate?.Context,
#pragma warning disable CA5359 // Without --kubelet-certificate-authority upstream does not verify either; the flag's help says so.
        RemoteCertificateValidationCallback = _trust?.ServerValidation ?? ((_, _, _, _) => true),
#pragma warning restore CA5359
    };

    /// <summary>A host name that this machine cannot resolve is passed over for the next address.</summary>
    private static bool Resolves(string type, string address)
    {
        if (type is not ("Hostname" or "InternalDNS" or "ExternalDNS") || IPAddress.TryParse(address, out _))
        {
            return true;
        }

        try
        {
            return Dns.GetHostAddresses(address).Length > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static ApiException Unreachable(KubeletEndpoint endpoint, Exception why) =>
        Statuses.Internal($"the kubelet at {endpoint.Host}:{endpoint.Port} cannot be reached: {why.InnerException?.Message ?? why.Message}", why);
}
