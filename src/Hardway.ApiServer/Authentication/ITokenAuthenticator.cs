namespace Hardway.ApiServer.Authentication;

/// <summary>One kind of bearer token. Answers NotHandled for tokens that are of another kind.</summary>
internal interface ITokenAuthenticator
{
    /// <param name="token">The token as it was sent.</param>
    /// <param name="audiences">Whom the token must be for; at least one of these. Empty where the asker does not care.</param>
    /// <param name="cancellationToken">Ends when the client goes.</param>
    ValueTask<AuthenticationResult> AuthenticateTokenAsync(string token, IReadOnlyList<string> audiences, CancellationToken cancellationToken);
}

/// <summary>Asks each kind in order; the first that knows the token decides, and an error is kept for the case that none does.</summary>
internal sealed class TokenAuthenticatorChain(params IReadOnlyList<ITokenAuthenticator> all) : ITokenAuthenticator
{
    public async ValueTask<AuthenticationResult> AuthenticateTokenAsync(string token, IReadOnlyList<string> audiences, CancellationToken cancellationToken)
    {
        string? error = null;
        foreach (var one in all)
        {
            var result = await one.AuthenticateTokenAsync(token, audiences, cancellationToken).ConfigureAwait(false);
            if (result.User is not null)
            {
                return result;
            }

            error = error is null || result.Error is null ? error ?? result.Error : error + ", " + result.Error;
        }

        return AuthenticationResult.Failed(error is null ? "invalid bearer token" : $"[invalid bearer token, {error}]");
    }
}
