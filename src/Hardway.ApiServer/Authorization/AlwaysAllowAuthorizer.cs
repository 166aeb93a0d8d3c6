namespace Hardway.ApiServer.Authorization;

/// <summary>--authorization-mode=AlwaysAllow.</summary>
internal sealed class AlwaysAllowAuthorizer : IAuthorizer
{
    public ValueTask<AuthorizationResult> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken cancellationToken) =>
        ValueTask.FromResult(AuthorizationResult.Allow());
}
