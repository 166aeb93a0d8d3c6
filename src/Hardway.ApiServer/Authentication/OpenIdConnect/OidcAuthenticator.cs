using Hardway.Api;
using Hardway.ApiServer.Http;
using Hardway.Cel;

namespace Hardway.ApiServer.Authentication.OpenIdConnect;

/// <summary>
/// Tokens of one issuer (OpenID Connect; KEP-3331): 1 whose token it is, 2 signature, 3 time and audience, 4 rules on claims, 5 the user that
/// the claims make, 6 rules on the user. Safe for all threads.
/// </summary>
internal sealed class OidcAuthenticator(JwtConfig config, TimeProvider time) : ITokenAuthenticator, IDisposable
{
    private const long Budget = 1_000_000;
    private readonly OidcKeySource _keys = new(config, time);

    public async ValueTask<AuthenticationResult> AuthenticateTokenAsync(string token, IReadOnlyList<string> audiences, CancellationToken cancellationToken)
    {
        if (!Jwt.TryParse(token, out var jwt) || jwt.Issuer != config.Issuer)
        {
            return AuthenticationResult.NotHandled;
        }

        try
        {
            if (!config.Algorithms.Contains(jwt.Algorithm) || !(await _keys.KeysAsync(jwt.KeyId, cancellationToken).ConfigureAwait(false)).Any(k => k.Verify(jwt)))
            {
                return AuthenticationResult.Failed("oidc: the token is not signed by a key of its issuer");
            }
        }
        catch (HttpRequestException e)
        {
            return AuthenticationResult.Failed("oidc: " + e.Message);
        }

        if (Problem(jwt) is { } wrong)
        {
            return AuthenticationResult.Failed("oidc: " + wrong);
        }

        try
        {
            return AuthenticationResult.Success(UserOf(jwt)) with { Audiences = audiences };
        }
        catch (CelException e)
        {
            return AuthenticationResult.Failed("oidc: " + e.Message);
        }
    }

    public void Dispose() => _keys.Dispose();

    private string? Problem(Jwt jwt)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        return jwt.Time("exp") is not { } end || now >= end ? "the token has expired"
            : jwt.Time("nbf") is { } start && now < start ? "the token is not valid yet"
            : !jwt.Audiences.Intersect(config.Audiences).Any() ? "the token is for other audiences"
            : null;
    }

    private UserInfo UserOf(Jwt jwt)
    {
        var claims = (Dictionary<string, object?>)ApiJson.DeserializeTree(System.Text.Encoding.UTF8.GetBytes(jwt.Claims.GetRawText()))!;
        var budget = new CelBudget(Budget);
        Check(config.ClaimRules, new(StringComparer.Ordinal) { ["claims"] = claims }, claims, budget);
        var name = Texts(config.Username, claims, budget, "username");
        if (name is not [{ Length: > 0 } username])
        {
            throw new CelException("the token's claims give no user name");
        }

        if (config.Username.Claim == "email" && claims.TryGetValue("email_verified", out var verified) && verified is not true)
        {
            throw new CelException("the token's email is not verified");
        }

        var user = new UserInfo(username)
        {
            Uid = config.Uid.IsEmpty ? "" : Texts(config.Uid, claims, budget, "uid") is [var uid, ..] ? uid : "",
            Groups = config.Groups.IsEmpty ? [] : Texts(config.Groups, claims, budget, "groups"),
            Extra = ExtraOf(jwt, claims, budget),
        };
        Check(config.UserRules, new(StringComparer.Ordinal) { ["user"] = ApiJson.ToTree(UserConversion.ToApi(user)) }, claims, budget);
        return user;
    }

    private static void Check(IReadOnlyList<ClaimRule> rules, Dictionary<string, object?> variables, Dictionary<string, object?> claims, CelBudget budget)
    {
        foreach (var rule in rules)
        {
            var holds = rule.Expression is { } expression ? expression.Evaluate(variables, budget) is true : claims.GetValueOrDefault(rule.Claim) as string == rule.RequiredValue;
            if (!holds)
            {
                throw new CelException(rule.Message.Length > 0 ? rule.Message : rule.Expression is { } failed ? $"the rule {failed.Text} does not hold" : $"the claim {rule.Claim} is not \"{rule.RequiredValue}\"");
            }
        }
    }

    private Dictionary<string, IReadOnlyList<string>> ExtraOf(Jwt jwt, Dictionary<string, object?> claims, CelBudget budget)
    {
        var extra = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        if (jwt.Text("jti") is { Length: > 0 } id)
        {
            extra[X509Authenticator.CredentialId] = ["JTI=" + id];
        }

        foreach (var (key, value) in config.Extra)
        {
            if (Texts(value.Evaluate(new Dictionary<string, object?>(StringComparer.Ordinal) { ["claims"] = claims }, budget), "", key) is { Count: > 0 } texts)
            {
                extra[key] = texts;
            }
        }

        return extra;
    }

    private static IReadOnlyList<string> Texts(ClaimMapping mapping, Dictionary<string, object?> claims, CelBudget budget, string what) => mapping.Expression is { } expression
        ? Texts(expression.Evaluate(new Dictionary<string, object?>(StringComparer.Ordinal) { ["claims"] = claims }, budget), "", what)
        : Texts(claims.GetValueOrDefault(mapping.Claim), mapping.Prefix, what);

    /// <summary>A text or a list of texts; nothing for null, "" and empty lists.</summary>
    private static IReadOnlyList<string> Texts(object? value, string prefix, string what) => value switch
    {
        null or "" => [],
        string text => [prefix + text],
        CelOptional optional => Texts(optional.Value, prefix, what),
        System.Collections.IEnumerable list when value is not System.Collections.IDictionary => [.. list.Cast<object?>().Select(item => item as string is { } text ? prefix + text : throw new CelException($"{what} must be texts"))],
        _ => throw new CelException($"{what} must be a text or a list of texts"),
    };
}
