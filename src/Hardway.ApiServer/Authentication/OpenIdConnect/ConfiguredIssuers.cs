namespace Hardway.ApiServer.Authentication.OpenIdConnect;

/// <summary>The issuers of a configuration of the moment. Safe for all threads.</summary>
internal sealed class ConfiguredIssuers(Func<AuthenticationConfig> config, TimeProvider time) : ITokenAuthenticator
{
    private readonly Lock _changing = new();
    private volatile Made _made = new(new AuthenticationConfig([], null), []);

    public async ValueTask<AuthenticationResult> AuthenticateTokenAsync(string token, IReadOnlyList<string> audiences, CancellationToken cancellationToken)
    {
        foreach (var issuer in Current())
        {
            // Issuers differ: the one that knows the token decides.
            if (await issuer.AuthenticateTokenAsync(token, audiences, cancellationToken).ConfigureAwait(false) is var result && (result.User is not null || result.Error is not null))
            {
                return result;
            }
        }

        return AuthenticationResult.NotHandled;
    }

    private IReadOnlyList<OidcAuthenticator> Current()
    {
        var now = config();
        if (ReferenceEquals(_made.Config, now))
        {
            return _made.Issuers;
        }

        lock (_changing)
        {
            if (!ReferenceEquals(_made.Config, now))
            {
                // Those that go are left to their last requests and the collector.
                _made = new Made(now, [.. now.Jwt.Select(j => new OidcAuthenticator(j, time))]);
            }

            return _made.Issuers;
        }
    }

    private sealed record Made(AuthenticationConfig Config, IReadOnlyList<OidcAuthenticator> Issuers);
}
