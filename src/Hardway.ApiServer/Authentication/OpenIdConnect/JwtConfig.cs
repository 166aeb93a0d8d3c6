using Hardway.Cel;
using Hardway.Hosting;

namespace Hardway.ApiServer.Authentication.OpenIdConnect;

/// <summary>One issuer of tokens, and what its tokens make of their bearers. Immutable.</summary>
internal sealed record JwtConfig
{
    private static readonly CelEnvironment s_claims = new("claims");
    private static readonly CelEnvironment s_user = new("user");

    public required string Issuer { get; init; }

    /// <summary>Where the issuer's document is, when not below the issuer.</summary>
    public string DiscoveryUrl { get; init; } = "";

    /// <summary>PEM; empty for the system's authorities.</summary>
    public string CertificateAuthority { get; init; } = "";

    public required IReadOnlyList<string> Audiences { get; init; }

    public IReadOnlyList<string> Algorithms { get; init; } = OidcKey.Algorithms;

    public IReadOnlyList<ClaimRule> ClaimRules { get; init; } = [];

    public required ClaimMapping Username { get; init; }

    public ClaimMapping Groups { get; init; } = new("", "", null);

    public ClaimMapping Uid { get; init; } = new("", "", null);

    public IReadOnlyList<(string Key, CelProgram Value)> Extra { get; init; } = [];

    public IReadOnlyList<ClaimRule> UserRules { get; init; } = [];

    /// <summary>One issuer of a configuration file.</summary>
    public static JwtConfig Read(ConfigObject config)
    {
        var issuer = config.Object("issuer");
        var url = Https(issuer, "url", needed: true);
        var audiences = issuer.Strings("audiences");
        if (audiences.Count == 0)
        {
            throw issuer.Wrong("issuer.audiences", "must have one");
        }

        if (issuer.String("audienceMatchPolicy") is { Length: > 0 } policy && policy != "MatchAny")
        {
            throw issuer.Wrong("issuer.audienceMatchPolicy", "can only be MatchAny");
        }

        issuer.Inert("egressSelectorType");
        var mappings = config.Object("claimMappings");
        return new JwtConfig
        {
            Issuer = url,
            DiscoveryUrl = Https(issuer, "discoveryURL", needed: false),
            CertificateAuthority = issuer.String("certificateAuthority"),
            Audiences = audiences,
            ClaimRules = [.. config.Objects("claimValidationRules").Select(ReadClaimRule)],
            Username = Mapping(mappings, "username") is { IsEmpty: false } name ? name : throw config.Wrong("claimMappings.username", "needs a claim or an expression"),
            Groups = Mapping(mappings, "groups"),
            Uid = Mapping(mappings, "uid", prefixed: false),
            Extra = [.. mappings.Objects("extra").Select(e => (ExtraKey(e), Compile(e, e.String("valueExpression"), "valueExpression", s_claims)))],
            UserRules = [.. config.Objects("userValidationRules").Select(r => new ClaimRule("", "", Compile(r, r.String("expression"), "expression", s_user), r.String("message")))],
        };
    }

    private static ClaimRule ReadClaimRule(ConfigObject rule)
    {
        var (claim, expression) = (rule.String("claim"), rule.String("expression"));
        return claim.Length > 0 != expression.Length > 0
            ? new ClaimRule(claim, rule.String("requiredValue"), expression.Length > 0 ? Compile(rule, expression, "expression", s_claims) : null, rule.String("message"))
            : throw rule.Wrong("claimValidationRules", "has one that is not exactly one of claim and expression");
    }

    private static ClaimMapping Mapping(ConfigObject mappings, string name, bool prefixed = true)
    {
        var mapping = mappings.Object(name);
        var (claim, expression) = (mapping.String("claim"), mapping.String("expression"));
        if (claim.Length > 0 && expression.Length > 0)
        {
            throw mappings.Wrong("claimMappings." + name, "has both a claim and an expression");
        }

        if (prefixed && claim.Length > 0 && !mapping.Has("prefix"))
        {
            throw mappings.Wrong($"claimMappings.{name}.prefix", "must be given with a claim (it may be \"\")");
        }

        return new ClaimMapping(claim, prefixed ? mapping.String("prefix") : "", expression.Length > 0 ? Compile(mappings, expression, name, s_claims) : null);
    }

    private static string ExtraKey(ConfigObject extra) =>
        extra.String("key") is { Length: > 0 } key && key.Contains('/', StringComparison.Ordinal) && key.Equals(key.ToLowerInvariant(), StringComparison.Ordinal) && !key.Split('/')[0].EndsWith("kubernetes.io", StringComparison.Ordinal) && !key.Split('/')[0].EndsWith("k8s.io", StringComparison.Ordinal)
            ? key
            : throw extra.Wrong("claimMappings.extra", "has a key that is no lower-case DOMAIN/NAME of a domain of yours");

    private static string Https(ConfigObject issuer, string name, bool needed)
    {
        var text = issuer.String(name);
        return (text.Length == 0 && !needed) || (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps && url.UserInfo.Length == 0 && url.Query.Length == 0 && url.Fragment.Length == 0)
            ? text
            : throw issuer.Wrong("issuer." + name, $"\"{text}\" is no https URL without user, query and fragment");
    }

    private static CelProgram Compile(ConfigObject at, string expression, string field, CelEnvironment environment)
    {
        try
        {
            return expression.Length > 0 ? environment.Compile(expression) : throw at.Wrong(field, "is missing");
        }
        catch (CelSyntaxException e)
        {
            throw at.Wrong(field, $"\"{expression}\" does not compile: {e.Message}", e);
        }
    }
}
