using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Text;
using Hardway.Api.Core.V1;
using Hardway.Client;
using Hardway.Hosting;
using Hardway.Pki;
using Microsoft.Extensions.Logging;

namespace Hardway.MetricsServer.Scraping;

/// <summary>
/// Asks every kubelet for /metrics/resource once a period, all at once, each within two thirds of it. Speaks as the service account (its token is read
/// for each round, for it rotates) or as the kubeconfig's user. A node that does not answer keeps its last samples for a round and is told once.
/// </summary>
internal sealed partial class KubeletScraper : IDisposable
{
    private const int MaxAnswer = 32 << 20;
    private readonly MetricsServerOptions _options;
    private readonly KubeConfig _config;
    private readonly Informer<Node> _nodes;
    private readonly UsageStore _store;
    private readonly HttpClient _http;
    private readonly HashSet<string> _failing = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    public KubeletScraper(MetricsServerOptions options, KubeConfig config, Informer<Node> nodes, UsageStore store, TimeProvider time, ILogger log)
    {
        (_options, _config, _nodes, _store, _time, _log) = (options, config, nodes, store, time, log);
        _http = new HttpClient(new SocketsHttpHandler { SslOptions = Tls(), UseProxy = false, AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(5), PooledConnectionIdleTimeout = options.Resolution * 2 })
        {
            Timeout = options.Resolution * (2d / 3),
            MaxResponseContentBufferSize = MaxAnswer,
        };
    }

    /// <summary>At least one round was made, with an answer or without nodes.</summary>
    public bool Ready { get; private set; }

    public void Dispose() => _http.Dispose();

    public async Task RunAsync(CancellationToken stop)
    {
        await _nodes.WaitForSyncAsync(stop);
        using var timer = new PeriodicTimer(_options.Resolution, _time);
        do
        {
            var nodes = _nodes.Store.List().ToList();
            var token = await TokenAsync(stop);
            var answers = await Task.WhenAll(nodes.Select(n => ScrapeAsync(n, token, stop)));
            _store.Keep(nodes.Select(n => n.Metadata.Name).ToHashSet(StringComparer.Ordinal));
            Ready |= nodes.Count == 0 || answers.Contains(true);
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    private async Task<string?> TokenAsync(CancellationToken stop) =>
        _config.TokenFile is { } file && File.Exists(file) ? (await File.ReadAllTextAsync(file, stop)).Trim() : _config.Token;

    private async Task<bool> ScrapeAsync(Node node, string? token, CancellationToken stop)
    {
        var name = node.Metadata.Name;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Address(node)) { Version = HttpVersion.Version20 };
            if (token != null)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var response = await _http.SendAsync(request, stop);
            if (!response.IsSuccessStatusCode)
                throw new HttpRequestException($"answered {(int)response.StatusCode}");
            _store.Put(name, ResourceText.Parse(Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(stop)), _time.GetUtcNow()));
            lock (_gate)
                _failing.Remove(name);
            return true;
        }
        catch (Exception e) when (!stop.IsCancellationRequested && e is HttpRequestException or OperationCanceledException or FormatException)
        {
            bool first;
            lock (_gate)
                first = _failing.Add(name);
            if (first)
                LogFailed(_log, name, e.InnerException?.Message ?? e.Message);
            return false;
        }
    }

    private Uri Address(Node node)
    {
        foreach (var type in _options.AddressTypes)
        {
            if (node.Status.Addresses?.Find(a => a.Type == type)?.Address is { Length: > 0 } host)
            {
                var port = _options.UseNodeStatusPort && node.Status.DaemonEndpoints.KubeletEndpoint?.Port is > 0 and var told ? told : _options.KubeletPort;
                return new Uri($"https://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}/metrics/resource");
            }
        }
        throw new FormatException($"the Node has no address of the types {string.Join(", ", _options.AddressTypes)}");
    }

    private SslClientAuthenticationOptions Tls()
    {
        var tls = new SslClientAuthenticationOptions();
        if (_config.ClientCertificateSource is { } source)
            tls.LocalCertificateSelectionCallback = (_, _, _, _, _) => source.Certificate;
        else if (_config.ClientCertificate is { } certificate)
            tls.ClientCertificates = [certificate];
#pragma warning disable CA5359 // the user asked for it: --kubelet-insecure-tls
        if (_options.KubeletInsecure)
            tls.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        else if (Authorities() is { } authorities)
            tls.RemoteCertificateValidationCallback = authorities.ServerValidation;
        return tls;
    }

    private TrustBundle? Authorities()
    {
        try
        {
            return _options.KubeletAuthority is { Length: > 0 } file ? TrustBundle.Read(file, _time) : _config.Authorities;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException or FormatException)
        {
            throw new ComponentException($"--kubelet-certificate-authority: {e.Message}", e);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The kubelet of {Node} could not be asked, and will be asked again every period: {Reason}")]
    private static partial void LogFailed(ILogger log, string node, string reason);
}
