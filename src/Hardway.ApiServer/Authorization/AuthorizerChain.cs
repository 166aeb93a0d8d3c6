namespace Hardway.ApiServer.Authorization;

/// <summary>The first with an opinion decides; the reasons of the others are kept for the message.</summary>
internal sealed class AuthorizerChain(params IReadOnlyList<IAuthorizer> authorizers) : IAuthorizer
{
    public async ValueTask<AuthorizationResult> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken cancellationToken)
    {
        var reasons = "";
        foreach (var authorizer in authorizers)
        {
            var result = await authorizer.AuthorizeAsync(attributes, cancellationToken).ConfigureAwait(false);
            if (result.Decision != Decision.NoOpinion)
            {
                return result;
            }

            reasons = reasons.Length == 0 ? result.Reason : result.Reason.Length == 0 ? reasons : reasons + "; " + result.Reason;
        }

        return new AuthorizationResult(Decision.NoOpinion, reasons);
    }
}
