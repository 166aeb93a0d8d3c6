using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hardway.Api.Authentication.V1;
using Hardway.Client;
using Hardway.Kubelet.Configuration;
using Microsoft.AspNetCore.Http;

namespace Hardway.Kubelet.Server;

/// <summary>
/// Finds out who sends a request: by client certificate (already verified by TLS: name is the common name, groups the organizations),
/// by bearer token through the API's TokenReview (answers are kept for a while, by the token's hash), or nobody, if that is allowed.
/// </summary>
internal sealed class RequestAuthenticator(KubeClient? client, KubeletConfig config, TimeProvider time)
{
    private const int MaxCached = 1000;
    private readonly ConcurrentDictionary<string, (RequestUser? User, DateTimeOffset Until)> _tokens = new(StringComparer.Ordinal);

    /// <summary>Null: unauthenticated, answer 401.</summary>
    public async ValueTask<RequestUser?> AuthenticateAsync(HttpContext context)
    {
        if (context.Connection.ClientCertificate is { } certificate)
            return FromCertificate(certificate);
        var header = context.Request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) && config.WebhookAuthentication && client != null)
            return await ReviewAsync(header["Bearer ".Length..].Trim(), context.RequestAborted);
        return config.AnonymousAuthentication && header.Length == 0 ? RequestUser.Anonymous : null;
    }

    internal static RequestUser? FromCertificate(X509Certificate2 certificate)
    {
        string? name = null;
        var groups = new List<string>();
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames(reversed: false))
        {
            if (part.HasMultipleElements)
                continue;
            switch (part.GetSingleElementType().Value)
            {
                case "2.5.4.3":
                    name = part.GetSingleElementValue();
                    break;
                case "2.5.4.10" when part.GetSingleElementValue() is { } group:
                    groups.Add(group);
                    break;
            }
        }
        groups.Add("system:authenticated");
        return string.IsNullOrEmpty(name) ? null : new RequestUser(name, "", groups, null);
    }

    private async Task<RequestUser?> ReviewAsync(string token, CancellationToken stop)
    {
        var key = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        var now = time.GetUtcNow();
        if (_tokens.TryGetValue(key, out var known) && known.Until > now)
            return known.User;
        var review = await client!.CreateAsync(ApiResource.Of<TokenReview>(), null, null, null, new TokenReview { ApiVersion = "authentication.k8s.io/v1", Kind = "TokenReview", Spec = new TokenReviewSpec { Token = token } }, stop);
        RequestUser? user = null;
        if (review.Status.Authenticated)
        {
            var info = review.Status.User;
            user = new RequestUser(info.Username, info.Uid, info.Groups ?? [], info.Extra);
        }
        if (_tokens.Count >= MaxCached)
            _tokens.Clear();
        _tokens[key] = (user, now + config.WebhookAuthenticationCacheTtl);
        return user;
    }
}
