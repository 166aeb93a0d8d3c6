using Hardway.Api.Authentication.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;

namespace Hardway.Client;

/// <summary>
/// Tokens of a service account by the TokenRequest API, made by a client that may: what --use-service-account-credentials gives each controller.
/// Makes the account when it is missing, renews at four fifths of the token's life. One request at a time.
/// </summary>
public sealed class ServiceAccountTokenSource(KubeClient maker, string ns, string name) : ITokenSource, IDisposable
{
    private const long Lifetime = 3600;
    private readonly SemaphoreSlim _one = new(1, 1);
    private volatile string? _token;
    private DateTimeOffset _renewAt;

    public async ValueTask<string?> GetAsync(CancellationToken cancellationToken)
    {
        if (_token is { } known && maker.Time.GetUtcNow() < _renewAt) return known;
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_token is null || maker.Time.GetUtcNow() >= _renewAt) await RequestAsync(cancellationToken);
            return _token;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Invalidate() => _token = null;

    public void Dispose() => _one.Dispose();

    private async Task RequestAsync(CancellationToken ct)
    {
        var now = maker.Time.GetUtcNow();
        var accounts = ApiResource.Of<ServiceAccount>();
        var request = new TokenRequest();
        request.Spec.ExpirationSeconds = Lifetime;
        TokenRequest made;
        try
        {
            made = await maker.CreateAsync(accounts, ns, name, "token", request, ct);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            await EnsureAccountAsync(ct);
            made = await maker.CreateAsync(accounts, ns, name, "token", request, ct);
        }
        _token = made.Status.Token;
        var expires = made.Status.ExpirationTimestamp ?? now.AddSeconds(Lifetime);
        _renewAt = now + ((expires - now) * 0.8);
    }

    private async Task EnsureAccountAsync(CancellationToken ct)
    {
        try
        {
            await maker.CreateAsync(new Namespace { Metadata = new ObjectMeta { Name = ns } }, ct);
        }
        catch (ApiException e) when (e.IsAlreadyExists || e.IsForbidden)
        {
        }
        try
        {
            await maker.CreateAsync(new ServiceAccount { Metadata = new ObjectMeta { Namespace = ns, Name = name } }, ct);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
        }
    }
}
