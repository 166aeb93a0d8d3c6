using Hardway.Api.Authentication.V1;
using Hardway.Api.Authorization.V1;
using Hardway.Api.Core.V1;
using Hardway.Client;
using Microsoft.AspNetCore.Http;

namespace Hardway.MetricsServer.Serving;

/// <summary>
/// Who asks, and may they? An API server that hands a request on names its user in headers (it proves itself by its certificate); others bring a bearer token, asked of
/// TokenReview. Whether the user may is always asked of SubjectAccessReview. Discovery and health are open to all who are known, respectively to all.
/// </summary>
internal sealed class RequestGuard(KubeClient client, Informer<ConfigMap> configuration)
{
    private FrontProxy _proxy = FrontProxy.None;
    private ConfigMap? _readFrom;

    /// <summary>Null: go on; otherwise the status to answer with and why.</summary>
    public async Task<(int Status, string Reason)?> RefuseAsync(HttpContext context, ResourceAttributes? attributes)
    {
        if (await UserAsync(context) is not { } user)
            return (StatusCodes.Status401Unauthorized, "Unauthorized");
        if (attributes == null)
            return null;
        var review = new SubjectAccessReview
        {
            Spec = new SubjectAccessReviewSpec { User = user.Username, Uid = user.Uid, Groups = user.Groups, Extra = user.Extra, ResourceAttributes = attributes },
        };
        var answer = await client.CreateAsync(ApiResource.Of<SubjectAccessReview>(), null, null, null, review, context.RequestAborted);
        return answer.Status.Allowed
            ? null
            : (StatusCodes.Status403Forbidden, $"{attributes.Resource}.{attributes.Group} is forbidden: User \"{user.Username}\" cannot {attributes.Verb} resource \"{attributes.Resource}\" in API group \"{attributes.Group}\"");
    }

    private async Task<UserInfo?> UserAsync(HttpContext context)
    {
        if (context.Connection.ClientCertificate is { } certificate && Proxy().Trusts(certificate))
            return FromHeaders(context.Request.Headers, Proxy());
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
            return null;
        var review = new TokenReview { Spec = new TokenReviewSpec { Token = header["Bearer ".Length..].Trim() } };
        var answer = await client.CreateAsync(ApiResource.Of<TokenReview>(), null, null, null, review, context.RequestAborted);
        return answer.Status.Authenticated ? answer.Status.User : null;
    }

    private FrontProxy Proxy()
    {
        var map = configuration.Store.Get(FrontProxy.Namespace, FrontProxy.Name);
        if (ReferenceEquals(map, _readFrom))
            return _proxy;
        (_proxy, _readFrom) = (FrontProxy.From(map), map);
        return _proxy;
    }

    internal static UserInfo? FromHeaders(IHeaderDictionary headers, FrontProxy proxy)
    {
        var name = proxy.UserHeaders.Select(h => headers[h].ToString()).FirstOrDefault(v => v.Length > 0);
        if (name == null)
            return null;
        // A line is a group, commas and all: who reads "a,system:masters" as two makes administrators.
        var user = new UserInfo { Username = name, Groups = [.. proxy.GroupHeaders.SelectMany(h => headers[h].OfType<string>())] };
        foreach (var prefix in proxy.ExtraPrefixes.Where(p => p.Length > 0))
        {
            foreach (var (header, values) in headers.Where(h => h.Key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && h.Key.Length > prefix.Length))
                (user.Extra ??= [])[Uri.UnescapeDataString(header[prefix.Length..]).ToLowerInvariant()] = [.. values.OfType<string>()];
        }
        return user;
    }
}
