using Hardway.Api.Authentication.V1;
using Hardway.Api.Authorization.V1;
using Microsoft.AspNetCore.Http;

namespace Hardway.Client;

/// <summary>
/// Who may read a component's non-health paths, asked of the API server as upstream does: a bearer token by TokenReview, the path by
/// SubjectAccessReview. Without a client (no --authentication-kubeconfig) everybody is refused. Answers are not kept: scrapes are rare.
/// </summary>
public sealed class DelegatedAuthorization(KubeClient? client)
{
    public async ValueTask<bool> AuthorizeAsync(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (client is null || !header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) return false;
        try
        {
            var review = new TokenReview();
            review.Spec.Token = header["Bearer ".Length..].Trim();
            var token = await client.CreateAsync(ApiResource.Of<TokenReview>(), null, null, null, review, context.RequestAborted);
            if (!token.Status.Authenticated) return false;
            var access = new SubjectAccessReview();
            access.Spec.User = token.Status.User.Username;
            access.Spec.Uid = token.Status.User.Uid;
            access.Spec.Groups = token.Status.User.Groups;
            access.Spec.NonResourceAttributes = new NonResourceAttributes { Path = context.Request.Path.Value ?? "/", Verb = context.Request.Method.ToLowerInvariant() };
            return (await client.CreateAsync(ApiResource.Of<SubjectAccessReview>(), null, null, null, access, context.RequestAborted)).Status.Allowed;
        }
        catch (Exception e) when (e is ApiException or HttpRequestException)
        {
            return false;
        }
    }
}
