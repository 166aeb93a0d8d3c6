using System.Net.Security;
using System.Text.Json;
using Hardway.Pki;

namespace Hardway.ApiServer.Authentication.OpenIdConnect;

/// <summary>
/// An issuer's keys, fetched by way of its discovery document on first use, and again when a token names a key that is not among them, but
/// not more often than every ten seconds. Safe for all threads; one fetch at a time.
/// </summary>
internal sealed class OidcKeySource : IDisposable
{
    private const int LargestDocument = 1 << 20;
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);
    private readonly JwtConfig _config;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;
    private readonly SemaphoreSlim _fetching = new(1);
    private volatile IReadOnlyList<OidcKey> _keys = [];
    private long? _fetchedAt;

    public OidcKeySource(JwtConfig config, TimeProvider time)
    {
        _config = config;
        _time = time;
        var handler = new SocketsHttpHandler { AllowAutoRedirect = true, MaxAutomaticRedirections = 5, UseCookies = false };
        if (config.CertificateAuthority.Length > 0)
        {
            handler.SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = TrustBundle.Parse(config.CertificateAuthority).ServerValidation };
        }

        _client = new HttpClient(handler) { Timeout = s_timeout, MaxResponseContentBufferSize = LargestDocument };
    }

    /// <summary>The keys that may have signed a token that names the key; empty when the issuer does not answer.</summary>
    public async ValueTask<IReadOnlyList<OidcKey>> KeysAsync(string id, CancellationToken cancellationToken)
    {
        var found = Find(id);
        if (found.Count > 0)
        {
            return found;
        }

        await _fetching.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            found = Find(id);
            if (found.Count == 0 && (_fetchedAt is not { } at || _time.GetElapsedTime(at) >= s_pause))
            {
                _fetchedAt = _time.GetTimestamp();
                _keys = await FetchAsync(cancellationToken).ConfigureAwait(false);
                found = Find(id);
            }

            return found;
        }
        finally
        {
            _fetching.Release();
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _fetching.Dispose();
    }

    private IReadOnlyList<OidcKey> Find(string id) => id.Length == 0 ? _keys : [.. _keys.Where(k => k.Id == id)];

    /// <exception cref="HttpRequestException">No answer, or not a good one.</exception>
    private async Task<IReadOnlyList<OidcKey>> FetchAsync(CancellationToken cancellationToken)
    {
        var discovery = _config.DiscoveryUrl.Length > 0 ? _config.DiscoveryUrl : _config.Issuer.TrimEnd('/') + "/.well-known/openid-configuration";
        try
        {
            using var document = JsonDocument.Parse(await _client.GetByteArrayAsync(new Uri(discovery), cancellationToken).ConfigureAwait(false), new JsonDocumentOptions { MaxDepth = 16 });
            var root = document.RootElement;
            if (!root.TryGetProperty("issuer", out var issuer) || issuer.GetString() != _config.Issuer)
            {
                throw new HttpRequestException($"{discovery} is not of the issuer {_config.Issuer}");
            }

            var keys = root.TryGetProperty("jwks_uri", out var uri) && Uri.TryCreate(uri.GetString(), UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps
                ? url
                : throw new HttpRequestException($"{discovery} has no jwks_uri that is an https URL");
            return OidcKey.ReadSet(await _client.GetByteArrayAsync(keys, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new HttpRequestException($"{discovery}: {e.Message}", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"{discovery}: no answer within {s_timeout.TotalSeconds} s", e);
        }
    }
}
