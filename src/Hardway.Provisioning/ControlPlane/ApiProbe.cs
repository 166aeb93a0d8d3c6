using System.Net.Security;
using Hardway.Pki;
using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.ControlPlane;

/// <summary>Single questions to health endpoints, from the jumpbox, each over a new connection: the handshake is part of the answer.</summary>
internal static class ApiProbe
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(3);

    /// <summary>Null when /readyz of the API at this machine answers 200; its certificate must be the cluster's and carry the endpoint's name.</summary>
    public static Task<string?> ReadyAsync(ClusterModel cluster, Machine machine, CancellationToken cancellation)
    {
        var trust = TrustBundle.Read(cluster.Files.Certificate(ClusterCertificates.Authority));
        return AskAsync(
            new Uri($"https://{machine.Address}:{ClusterAddresses.ApiPort}/readyz"),
            new SslClientAuthenticationOptions { TargetHost = cluster.EndpointName, RemoteCertificateValidationCallback = trust.ServerValidation },
            cancellation);
    }

    /// <summary>
    /// /healthz of a component that serves under a certificate it made for itself. Nothing is sent or believed but "it answers",
    /// so the certificate is not verified.
    /// </summary>
    public static Task<string?> HealthzAsync(Machine machine, int port, CancellationToken cancellation) => AskAsync(
        new Uri($"https://{machine.Address}:{port}/healthz"),
#pragma warning disable CA5359 // A self-signed certificate; see above.
        new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, _, _) => true },
#pragma warning restore CA5359
        cancellation);

    public static Task<string?> PlainAsync(Machine machine, int port, string path, CancellationToken cancellation)
        => AskAsync(new Uri($"http://{machine.Address}:{port}{path}"), null, cancellation);

    private static async Task<string?> AskAsync(Uri uri, SslClientAuthenticationOptions? tls, CancellationToken cancellation)
    {
        using var handler = new SocketsHttpHandler { ConnectTimeout = _limit };
        if (tls is not null)
        {
            handler.SslOptions = tls;
        }

        using var client = new HttpClient(handler) { Timeout = _limit, MaxResponseContentBufferSize = 1 << 20 };
        try
        {
            using var answer = await client.GetAsync(uri, cancellation).ConfigureAwait(false);
            var text = await answer.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
            return answer.IsSuccessStatusCode ? null : $"{uri.AbsolutePath} answers {(int)answer.StatusCode}: {text.ReplaceLineEndings(" ")[..Math.Min(text.Length, 200)].Trim()}";
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellation.IsCancellationRequested)
        {
            return Reasons.Of(e);
        }
    }
}
