using Hardway.Api;
using Hardway.Api.Authentication.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Authentication;

/// <summary>tokenreviews: somebody who got a token (a kubelet, a webhook) asks whose it is.</summary>
internal sealed class TokenReviewResource(ITokenAuthenticator tokens, IReadOnlyList<string> apiAudiences) : IVirtualResource
{
    public string Group => "authentication.k8s.io";

    public string Resource => "tokenreviews";

    public string Subresource => "";

    public async ValueTask<ApiStruct> CreateAsync(RequestContext context, ApiStruct body, bool dryRun, CancellationToken cancellationToken)
    {
        var review = (TokenReview)body;
        if (review.Spec.Token.Length == 0)
        {
            throw Statuses.BadRequest("token is required for TokenReview in authentication");
        }

        var wanted = review.Spec.Audiences is { Count: > 0 } asked ? (IReadOnlyList<string>)asked : apiAudiences;
        var result = await tokens.AuthenticateTokenAsync(review.Spec.Token, wanted, cancellationToken).ConfigureAwait(false);
        review.Status = result.User is not { } found
            ? new TokenReviewStatus { Error = result.Error ?? "invalid bearer token" }
            : new TokenReviewStatus
            {
                Authenticated = true,
                User = UserConversion.ToApi(AuthenticationStack.WithAuthenticated(found)),
                Audiences = [.. result.Audiences is { Count: > 0 } common ? common : wanted],
            };
        return review;
    }
}

/// <summary>selfsubjectreviews: who am I?</summary>
internal sealed class SelfSubjectReviewResource(TimeProvider time) : IVirtualResource
{
    public string Group => "authentication.k8s.io";

    public string Resource => "selfsubjectreviews";

    public string Subresource => "";

    public ValueTask<ApiStruct> CreateAsync(RequestContext context, ApiStruct body, bool dryRun, CancellationToken cancellationToken)
    {
        var review = (SelfSubjectReview)body;
        review.Metadata = new ObjectMeta { CreationTimestamp = time.GetUtcNow() };
        review.Status = new SelfSubjectReviewStatus { UserInfo = UserConversion.ToApi(context.User) };
        return ValueTask.FromResult<ApiStruct>(review);
    }
}
