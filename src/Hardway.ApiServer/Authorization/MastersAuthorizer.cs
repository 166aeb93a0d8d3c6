using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Authorization;

/// <summary>system:masters may do everything: the way in when roles are broken.</summary>
internal sealed class MastersAuthorizer : IAuthorizer
{
    public ValueTask<AuthorizationResult> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken cancellationToken) =>
        ValueTask.FromResult(attributes.User.InGroup(UserInfo.MastersGroup) ? AuthorizationResult.Allow() : AuthorizationResult.NoOpinion);
}

/// <summary>--authorization-mode=AlwaysDeny.</summary>
internal sealed class AlwaysDenyAuthorizer : IAuthorizer
{
    public ValueTask<AuthorizationResult> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new AuthorizationResult(Decision.NoOpinion, "Everything is forbidden."));
}
