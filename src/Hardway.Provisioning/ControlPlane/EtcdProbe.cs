using System.Net.Http.Headers;
using System.Net.Security;
using System.Text;
using System.Text.Json.Nodes;
using Hardway.Pki;
using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.ControlPlane;

/// <summary>Asks etcd members from the jumpbox by etcd's JSON gateway, with the API servers' client certificate.</summary>
internal static class EtcdProbe
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(3);

    /// <summary>Null when the member says it is healthy (it has a leader and can commit); else what is seen.</summary>
    public static async Task<string?> HealthAsync(ClusterModel cluster, Machine member, CancellationToken cancellation)
    {
        using var client = Client(cluster);
        try
        {
            using var answer = await client.GetAsync(new Uri($"https://{member.Address}:2379/health"), cancellation).ConfigureAwait(false);
            var text = await answer.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
            return text.Contains("\"true\"", StringComparison.Ordinal) ? null : $"/health says {text.Trim()}";
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellation.IsCancellationRequested)
        {
            return Reasons.Of(e);
        }
    }

    public static async Task<JsonNode> PostAsync(ClusterModel cluster, Machine member, string path, string body, CancellationToken cancellation)
    {
        using var client = Client(cluster);
        using var content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using var answer = await client.PostAsync(new Uri($"https://{member.Address}:2379{path}"), content, cancellation).ConfigureAwait(false);
        var text = await answer.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
        return answer.IsSuccessStatusCode
            ? JsonNode.Parse(text)!
            : throw new HttpRequestException($"{path} answers {(int)answer.StatusCode}: {text.ReplaceLineEndings(" ")[..Math.Min(text.Length, 200)].Trim()}");
    }

    public static async Task<string> GetTextAsync(ClusterModel cluster, Machine member, string path, CancellationToken cancellation)
    {
        using var client = Client(cluster);
        return await client.GetStringAsync(new Uri($"https://{member.Address}:2379{path}"), cancellation).ConfigureAwait(false);
    }

    private static HttpClient Client(ClusterModel cluster)
    {
        var files = cluster.Files;
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = _limit,
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificateContext = SslStreamCertificateContext.Create(
                    PemFiles.ReadWithKey(files.Certificate("etcd-client"), files.Key("etcd-client")), null, offline: true),
                RemoteCertificateValidationCallback = TrustBundle.Read(files.Certificate(ClusterCertificates.EtcdAuthority)).ServerValidation,
            },
        };
        return new HttpClient(handler) { Timeout = _limit, MaxResponseContentBufferSize = 4 << 20 };
    }
}
