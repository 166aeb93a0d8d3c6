using Hardway.ApiServer.Configuration;
using Hardway.Hosting;

namespace Hardway.ApiServer.Authentication.OpenIdConnect;

/// <summary>--oidc-*: one issuer by flags.</summary>
internal sealed class OidcOptions
{
    private string _clientId = "";
    private string _usernameClaim = "sub";
    private string? _usernamePrefix;
    private string _groupsClaim = "";
    private string _groupsPrefix = "";
    private string _caFile = "";
    private Dictionary<string, string> _required = [];
    private IReadOnlyList<string> _algorithms = ["RS256"];

    public string IssuerUrl { get; private set; } = "";

    public void AddFlags(FlagSet flags)
    {
        flags.String("oidc-issuer-url", "Issuer of OpenID Connect tokens, an https URL.", v => IssuerUrl = v);
        flags.String("oidc-client-id", "Audience that its tokens must have.", v => _clientId = v);
        flags.String("oidc-username-claim", "Claim that is the user's name.", v => _usernameClaim = v, "sub");
        flags.String("oidc-username-prefix", "Put before it; - for nothing. Default is the issuer and #, unless the claim is email.", v => _usernamePrefix = v);
        flags.String("oidc-groups-claim", "Claim that lists groups.", v => _groupsClaim = v);
        flags.String("oidc-groups-prefix", "Put before each.", v => _groupsPrefix = v);
        flags.String("oidc-ca-file", "Authority of the issuer's certificate.", v => _caFile = v);
        flags.Map("oidc-required-claim", "Claims that tokens must have, with these values.", v => _required = v);
        flags.StringList("oidc-signing-algs", "Signature algorithms that are accepted.", v => _algorithms = v, "RS256");
    }

    public IEnumerable<string> Problems()
    {
        if (IssuerUrl.Length > 0 != _clientId.Length > 0)
        {
            yield return "--oidc-issuer-url and --oidc-client-id belong together; one of them is missing";
        }

        if (IssuerUrl.Length > 0 && !(Uri.TryCreate(IssuerUrl, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps))
        {
            yield return $"--oidc-issuer-url={IssuerUrl} is no https URL";
        }

        foreach (var unknown in _algorithms.Except(OidcKey.Algorithms))
        {
            yield return $"--oidc-signing-algs has \"{unknown}\", which is not one of {string.Join(", ", OidcKey.Algorithms)}";
        }

        if (_caFile.Length > 0 && !File.Exists(_caFile))
        {
            yield return $"--oidc-ca-file: {_caFile} does not exist";
        }
    }

    public AuthenticationConfig ToConfig() => new(
    [
        new JwtConfig
        {
            Issuer = IssuerUrl,
            CertificateAuthority = _caFile.Length > 0 ? ConfigFile.ReadText(_caFile) : "",
            Audiences = [_clientId],
            Algorithms = _algorithms,
            ClaimRules = [.. _required.Select(r => new ClaimRule(r.Key, r.Value, null, ""))],
            Username = new ClaimMapping(_usernameClaim, _usernamePrefix switch { "-" => "", { } given => given, null => _usernameClaim == "email" ? "" : IssuerUrl + "#" }, null),
            Groups = new ClaimMapping(_groupsClaim, _groupsPrefix, null),
        },
    ], null);
}
