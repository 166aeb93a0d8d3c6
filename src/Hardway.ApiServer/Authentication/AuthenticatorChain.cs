using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Authentication;

/// <summary>Asks each in order until one knows the user. When none does and one found bad credentials, those decide.</summary>
internal sealed class AuthenticatorChain(params IReadOnlyList<IAuthenticator> authenticators) : IAuthenticator
{
    public async ValueTask<AuthenticationResult> AuthenticateAsync(HttpContext http, CancellationToken cancellationToken)
    {
        string? error = null;
        foreach (var authenticator in authenticators)
        {
            var result = await authenticator.AuthenticateAsync(http, cancellationToken).ConfigureAwait(false);
            if (result.User is not null)
            {
                return result;
            }

            error ??= result.Error;
        }

        return error is null ? AuthenticationResult.NotHandled : AuthenticationResult.Failed(error);
    }
}
