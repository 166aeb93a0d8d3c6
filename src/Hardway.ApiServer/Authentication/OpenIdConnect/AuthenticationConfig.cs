using Hardway.ApiServer.Configuration;
using Hardway.Cel;
using Hardway.Hosting;

namespace Hardway.ApiServer.Authentication.OpenIdConnect;

/// <summary>AuthenticationConfiguration of apiserver.config.k8s.io: issuers of tokens, and where anonymous requests are let in. Immutable.</summary>
internal sealed record AuthenticationConfig(IReadOnlyList<JwtConfig> Jwt, AnonymousConfig? Anonymous)
{
    private const int MostIssuers = 64;

    public static AuthenticationConfig Read(string path) => Parse(path, ConfigFile.ReadText(path));

    /// <exception cref="ComponentException">What is wrong and where.</exception>
    internal static AuthenticationConfig Parse(string path, string yaml)
    {
        var root = ConfigFile.Parse(path, yaml, "apiserver.config.k8s.io", "AuthenticationConfiguration", "v1", "v1beta1");
        var issuers = root.Objects("jwt");
        var jwt = issuers.ConvertAll(JwtConfig.Read);
        var anonymous = root.Has("anonymous") ? AnonymousConfig.Read(root.Object("anonymous")) : null;
        root.Done();
        if (jwt.Count > MostIssuers)
        {
            throw root.Wrong("jwt", $"has more than {MostIssuers} issuers");
        }

        return jwt.Select(j => j.Issuer).Distinct().Count() == jwt.Count ? new AuthenticationConfig(jwt, anonymous) : throw root.Wrong("jwt", "names an issuer twice");
    }
}

/// <summary>Where requests without credentials are let in: nowhere, everywhere, or at some paths. Immutable.</summary>
internal sealed record AnonymousConfig(bool Enabled, IReadOnlyList<string> Paths)
{
    public bool Allows(string path) => Enabled && (Paths.Count == 0 || Paths.Contains(path));

    internal static AnonymousConfig Read(ConfigObject config)
    {
        var enabled = config.Bool("enabled");
        List<string> paths = [.. config.Objects("conditions").Select(c => c.String("path") is { Length: > 0 } path ? path : throw config.Wrong("conditions", "has one without a path"))];
        return enabled || paths.Count == 0 ? new AnonymousConfig(enabled, paths) : throw config.Wrong("conditions", "may only be given when anonymous requests are enabled");
    }
}

/// <summary>A rule on claims: one has a value, or an expression holds. Immutable.</summary>
internal sealed record ClaimRule(string Claim, string RequiredValue, CelProgram? Expression, string Message);

/// <summary>What a part of a user is made of: a claim behind a prefix, or an expression. Immutable.</summary>
internal sealed record ClaimMapping(string Claim, string Prefix, CelProgram? Expression)
{
    public bool IsEmpty => Claim.Length == 0 && Expression is null;
}
