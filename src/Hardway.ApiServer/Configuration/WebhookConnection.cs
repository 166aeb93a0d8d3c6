using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hardway.Hosting;
using Hardway.Pki;

namespace Hardway.ApiServer.Configuration;

/// <summary>
/// A server that this one asks (who is this token? may they? here is an audit event): its URL, whom to trust and what to show, from
/// the current context of a kubeconfig file. Posts JSON and reads a bounded answer.
/// </summary>
internal sealed class WebhookConnection : IDisposable
{
    private const int LargestAnswer = 4 << 20;
    private readonly HttpClient _client;
    private readonly Uri _server;

    private WebhookConnection(HttpClient client, Uri server)
    {
        _client = client;
        _server = server;
    }

    /// <exception cref="ComponentException">What is wrong with the file.</exception>
    public static WebhookConnection Read(string path)
    {
        var root = ConfigObject.Root(path, ConfigFile.Json(path, ConfigFile.ReadText(path)), "v1", "Config");
        root.Inert("preferences", "extensions");
        var context = root.String("current-context");
        var (clusters, users, contexts) = (root.Objects("clusters"), root.Objects("users"), root.Objects("contexts"));
        var chosen = contexts.Count == 0 ? null : Named(root, contexts, "contexts", context).Object("context");
        chosen?.Inert("namespace");
        var cluster = chosen is null ? Single(root, clusters, "clusters").Object("cluster") : Named(root, clusters, "clusters", chosen.String("cluster")).Object("cluster");
        var user = chosen?.String("user") is { Length: > 0 } name ? Named(root, users, "users", name).Object("user") : null;
        var server = Uri.TryCreate(cluster.String("server"), UriKind.Absolute, out var url) && url.Scheme is "https" or "http" ? url : throw root.Wrong("clusters", "has no server that is a URL");
        return new WebhookConnection(new HttpClient(Handler(path, cluster, user)) { Timeout = Timeout.InfiniteTimeSpan, DefaultRequestHeaders = { Authorization = Token(path, user) } }, server!);
    }

    /// <exception cref="HttpRequestException">No answer, or not a good one.</exception>
    public async Task<byte[]> PostAsync(byte[] body, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, _server) { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            await answer.Content.LoadIntoBufferAsync(LargestAnswer, limit.Token).ConfigureAwait(false);
            return answer.IsSuccessStatusCode ? await answer.Content.ReadAsByteArrayAsync(limit.Token).ConfigureAwait(false) : throw new HttpRequestException($"{_server} answered {(int)answer.StatusCode}", null, answer.StatusCode);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"{_server} did not answer within {timeout.TotalSeconds} s", e);
        }
    }

    public void Dispose() => _client.Dispose();

    private static SocketsHttpHandler Handler(string path, ConfigObject cluster, ConfigObject? user)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) };
        var tls = new SslClientAuthenticationOptions();
        try
        {
            if (Material(path, cluster, "certificate-authority") is { } authority)
            {
                tls.RemoteCertificateValidationCallback = TrustBundle.Parse(authority).ServerValidation;
            }

            if (cluster.String("tls-server-name") is { Length: > 0 } name)
            {
                tls.TargetHost = name;
            }

            if (user is not null && Material(path, user, "client-certificate") is { } certificate && Material(path, user, "client-key") is { } key)
            {
                tls.ClientCertificateContext = SslStreamCertificateContext.Create(PemFiles.ParseWithKey(certificate, key), null, offline: true);
            }
        }
        catch (Exception e) when (e is CryptographicException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new ComponentException($"{path}: {e.Message}", e);
        }

        handler.SslOptions = tls;
        return handler;
    }

    private static AuthenticationHeaderValue? Token(string path, ConfigObject? user)
    {
        var token = user?.String("token") is { Length: > 0 } given ? given
            : user?.String("tokenFile") is { Length: > 0 } file ? ConfigFile.ReadText(Beside(path, file)).Trim() : null;
        return token is null ? null : new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>PEM from NAME-data (base64) or the file that NAME says.</summary>
    private static string? Material(string path, ConfigObject source, string name)
    {
        var (data, file) = (source.String(name + "-data"), source.String(name));
        return data.Length > 0 ? Encoding.UTF8.GetString(Convert.FromBase64String(data)) : file.Length > 0 ? File.ReadAllText(Beside(path, file)) : null;
    }

    private static string Beside(string path, string file) => Path.IsPathRooted(file) ? file : Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, file);

    private static ConfigObject Named(ConfigObject root, List<ConfigObject> all, string list, string name) =>
        all.Find(o => o.String("name") == name) ?? throw root.Wrong(list, $"has no \"{name}\"");

    private static ConfigObject Single(ConfigObject root, List<ConfigObject> all, string list) => all.Count == 1 ? all[0] : throw root.Wrong(list, "must have one entry, or a current-context must choose");
}
