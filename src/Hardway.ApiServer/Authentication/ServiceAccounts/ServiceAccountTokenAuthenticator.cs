using System.Security.Cryptography;
using System.Text;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Authentication.ServiceAccounts;

/// <summary>
/// Service account tokens, both those that TokenRequest gives out (bound to an audience, a time and maybe an object) and those that
/// Secrets keep. For each request:
/// 1. the issuer is one of ours, else the token is somebody else's;
/// 2. a key of ours made the signature (remembered by the token's digest, as this is the costly step);
/// 3. the time is right;
/// 4. the audiences have one in common with those asked for;
/// 5. the account, and the object that it is bound to, are still there with the same uid (60 s after their deletion they are not).
/// </summary>
internal sealed class ServiceAccountTokenAuthenticator(
    IReadOnlyList<VerificationKey> keys, IReadOnlyList<string> issuers, IReadOnlyList<string> apiAudiences, bool lookUp, IResourceReader reader, TimeProvider time) : ITokenAuthenticator
{
    private const string LegacyIssuer = "kubernetes/serviceaccount";
    private const int MostRemembered = 8192;
    private static readonly TimeSpan s_leeway = TimeSpan.FromSeconds(60);

    private readonly HashSet<string> _verified = new(StringComparer.Ordinal);
    private readonly Lock _remembering = new();

    public async ValueTask<AuthenticationResult> AuthenticateTokenAsync(string token, IReadOnlyList<string> audiences, CancellationToken cancellationToken)
    {
        if (!Jwt.TryParse(token, out var jwt) || !(jwt.Issuer == LegacyIssuer || issuers.Contains(jwt.Issuer)))
        {
            return AuthenticationResult.NotHandled;
        }

        if (!IsSigned(token, jwt))
        {
            return AuthenticationResult.Failed("invalid signature");
        }

        var claims = jwt.Issuer == LegacyIssuer ? ServiceAccountClaims.ReadLegacy(jwt) : ServiceAccountClaims.Read(jwt);
        if (claims is null || claims.Namespace.Length == 0 || claims.Account.Name.Length == 0 || jwt.Subject != ServiceAccountNames.UserName(claims.Namespace, claims.Account.Name))
        {
            return AuthenticationResult.Failed("the token's claims name no service account");
        }

        if (TimeProblem(jwt, claims) is { } late)
        {
            return AuthenticationResult.Failed(late);
        }

        var own = jwt.Audiences.Count == 0 ? apiAudiences : jwt.Audiences;
        var common = audiences.Count == 0 ? own : [.. own.Intersect(audiences)];
        if (common.Count == 0 && audiences.Count > 0)
        {
            return AuthenticationResult.Failed($"token audiences [{Quote(own)}] is invalid for the target audiences [{Quote(audiences)}]");
        }

        return (lookUp || !claims.IsLegacy) && await GoneAsync(token, claims, cancellationToken).ConfigureAwait(false) is { } gone
            ? AuthenticationResult.Failed(gone)
            : AuthenticationResult.Success(UserOf(jwt, claims)) with { Audiences = common };
    }

    private bool IsSigned(string token, Jwt jwt)
    {
        var digest = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        lock (_remembering)
        {
            if (_verified.Contains(digest))
            {
                return true;
            }
        }

        var named = keys.Where(k => k.KeyId == jwt.KeyId).ToList();
        if (!(named.Count > 0 ? named : keys).Any(k => k.Verify(jwt)))
        {
            return false;
        }

        lock (_remembering)
        {
            if (_verified.Count >= MostRemembered)
            {
                _verified.Clear();
            }

            _verified.Add(digest);
        }

        return true;
    }

    private string? TimeProblem(Jwt jwt, ServiceAccountClaims claims)
    {
        if (claims.IsLegacy)
        {
            return null;
        }

        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var skew = (long)s_leeway.TotalSeconds;
        return jwt.Time("exp") is not { } end || now > end ? "service account token has expired"
            : jwt.Time("nbf") is { } start && now < start - skew ? "the service account token is not valid yet"
            : null;
    }

    private async ValueTask<string?> GoneAsync(string token, ServiceAccountClaims claims, CancellationToken cancellationToken)
    {
        var ns = claims.Namespace;
        var account = await FindAsync<ServiceAccount>(ns, claims.Account, cancellationToken).ConfigureAwait(false);
        if (account is null)
        {
            return "service account token has been invalidated: the account is gone";
        }

        if (claims.Secret is { } bound)
        {
            var secret = await FindAsync<Secret>(ns, bound, cancellationToken).ConfigureAwait(false);
            if (secret is null || (claims.IsLegacy && !IsIn(secret, token)))
            {
                return "service account token has been invalidated: its secret is gone";
            }
        }

        if (claims.Pod is { } pod && await FindAsync<Pod>(ns, pod, cancellationToken).ConfigureAwait(false) is null)
        {
            return "service account token has been invalidated: its pod is gone";
        }

        return claims.Node is { } node && claims.Pod is null && await FindAsync<Node>("", node, cancellationToken).ConfigureAwait(false) is null
            ? "service account token has been invalidated: its node is gone"
            : null;
    }

    /// <summary>The object with that name and uid, not deleted; the cache first, and as it may be late, the store.</summary>
    private async ValueTask<T?> FindAsync<T>(string ns, BoundObject wanted, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new()
    {
        return IsIt(reader.Get<T>(ns, wanted.Name)) ?? IsIt(await reader.GetFreshAsync<T>(ns, wanted.Name, cancellationToken).ConfigureAwait(false));

        T? IsIt(T? found) =>
            found is not null
            && (wanted.Uid.Length == 0 || found.Metadata.Uid == wanted.Uid)
            && (found.Metadata.DeletionTimestamp is not { } at || time.GetUtcNow() < at + s_leeway)
                ? found
                : null;
    }

    private static bool IsIn(Secret secret, string token) =>
        secret.Data?.GetValueOrDefault("token") is { } kept && CryptographicOperations.FixedTimeEquals(kept, Encoding.UTF8.GetBytes(token));

    private static UserInfo UserOf(Jwt jwt, ServiceAccountClaims claims)
    {
        var extra = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        Add(X509Authenticator.CredentialId, jwt.Text("jti") is { Length: > 0 } id ? "JTI=" + id : "");
        Add(ServiceAccountNames.PodName, claims.Pod?.Name);
        Add(ServiceAccountNames.PodUid, claims.Pod?.Uid);
        Add(ServiceAccountNames.NodeName, claims.Node?.Name);
        Add(ServiceAccountNames.NodeUid, claims.Node?.Uid);
        return new UserInfo(ServiceAccountNames.UserName(claims.Namespace, claims.Account.Name))
        {
            Uid = claims.Account.Uid,
            Groups = ServiceAccountNames.Groups(claims.Namespace),
            Extra = extra,
        };

        void Add(string key, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                extra[key] = [value];
            }
        }
    }

    private static string Quote(IEnumerable<string> values) => string.Join(" ", values.Select(v => $"\"{v}\""));
}
