using Hardway.ApiServer.Authentication.OpenIdConnect;
using Hardway.Hosting;

namespace Hardway.ApiServer.Authentication;

/// <summary>What the command line says about who may be whom. Frozen once the server starts.</summary>
internal sealed class AuthenticationOptions
{
    public bool Anonymous { get; private set; } = true;

    public string ClientCaFile { get; private set; } = "";

    public string TokenFile { get; private set; } = "";

    public bool BootstrapTokens { get; private set; }

    public IReadOnlyList<string> ServiceAccountKeyFiles { get; private set; } = [];

    public string ServiceAccountSigningKeyFile { get; private set; } = "";

    public IReadOnlyList<string> Issuers { get; private set; } = [];

    public IReadOnlyList<string> ConfiguredAudiences { get; private set; } = [];

    /// <summary>Whom a token must be for: --api-audiences, else the issuers.</summary>
    public IReadOnlyList<string> Audiences => ConfiguredAudiences.Count > 0 ? ConfiguredAudiences : Issuers.Count > 0 ? [Issuers[0]] : [];

    public string JwksUri { get; private set; } = "";

    public bool LookUpServiceAccounts { get; private set; } = true;

    public bool ExtendTokenExpiration { get; private set; } = true;

    public TimeSpan MaxTokenExpiration { get; private set; }

    public string RequestHeaderClientCaFile { get; private set; } = "";

    public IReadOnlyList<string> RequestHeaderAllowedNames { get; private set; } = [];

    public IReadOnlyList<string> RequestHeaderUsernames { get; private set; } = [];

    public IReadOnlyList<string> RequestHeaderUids { get; private set; } = [];

    public IReadOnlyList<string> RequestHeaderGroups { get; private set; } = [];

    public IReadOnlyList<string> RequestHeaderExtraPrefixes { get; private set; } = [];

    /// <summary>AuthenticationConfiguration: issuers of tokens, anonymous requests.</summary>
    public string ConfigFile { get; private set; } = "";

    public string WebhookConfigFile { get; private set; } = "";

    public TimeSpan WebhookCacheTtl { get; private set; } = TimeSpan.FromMinutes(2);

    public OidcOptions Oidc { get; } = new();

    internal bool SaysAnonymous { get; private set; }

    public void AddFlags(FlagSet flags)
    {
        flags.Bool("anonymous-auth", "Let in requests that carry no credentials, as system:anonymous.", v => (Anonymous, SaysAnonymous) = (v, true), @default: true);
        flags.String("authentication-config", "AuthenticationConfiguration: issuers of tokens, and where anonymous requests are let in. Read again when it changes.", v => ConfigFile = v);
        flags.String("authentication-token-webhook-config-file", "Kubeconfig of a server that is asked whose a token is.", v => WebhookConfigFile = v);
        flags.Duration("authentication-token-webhook-cache-ttl", "How long its answers are kept.", v => WebhookCacheTtl = v, WebhookCacheTtl);
        flags.Custom("authentication-token-webhook-version", "version", "Version of TokenReview that it is asked with: v1.", v => v == "v1" ? null : "is not v1", "v1");
        Oidc.AddFlags(flags);
        flags.String("client-ca-file", "Authorities whose client certificates are believed: CN is the user, each O a group.", v => ClientCaFile = v);
        flags.String("token-auth-file", "CSV file of fixed tokens: token,user,uid,\"group1,group2\".", v => TokenFile = v);
        flags.Bool("enable-bootstrap-token-auth", "Believe bootstrap tokens kept as Secrets in kube-system.", v => BootstrapTokens = v);
        flags.StringList("service-account-key-file", "PEM public keys, private keys or certificates that service account tokens may be signed with.", v => ServiceAccountKeyFiles = v);
        flags.String("service-account-signing-key-file", "PEM private key that signs the tokens which this server gives out.", v => ServiceAccountSigningKeyFile = v);
        flags.StringList("service-account-issuer", "Issuer named in tokens (the first), and those believed (all).", v => Issuers = v);
        flags.StringList("api-audiences", "Audiences that tokens for this API name; default is the issuer.", v => ConfiguredAudiences = v);
        flags.String("service-account-jwks-uri", "Where OIDC discovery says that the keys are.", v => JwksUri = v);
        flags.Bool("service-account-lookup", "A token is good only while its account is there.", v => LookUpServiceAccounts = v, @default: true);
        flags.Bool("service-account-extend-token-expiration", "Tokens of Pods that ask for 3607 s live for a year, with a warning after that time.", v => ExtendTokenExpiration = v, @default: true);
        flags.Duration("service-account-max-token-expiration", "The longest life of a token; 0 for no limit.", v => MaxTokenExpiration = v);
        flags.String("requestheader-client-ca-file", "Authorities of the front proxies that may name the user in headers.", v => RequestHeaderClientCaFile = v);
        flags.StringList("requestheader-allowed-names", "Common names of those proxies; none for any.", v => RequestHeaderAllowedNames = v);
        flags.StringList("requestheader-username-headers", "Headers that carry the user.", v => RequestHeaderUsernames = v);
        flags.StringList("requestheader-uid-headers", "Headers that carry the user's uid.", v => RequestHeaderUids = v);
        flags.StringList("requestheader-group-headers", "Headers that carry groups.", v => RequestHeaderGroups = v);
        flags.StringList("requestheader-extra-headers-prefix", "Prefixes of headers that carry more about the user.", v => RequestHeaderExtraPrefixes = v);
    }

    /// <summary>What does not fit together, one line each.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var file in ServiceAccountKeyFiles.Append(ServiceAccountSigningKeyFile).Append(ClientCaFile).Append(TokenFile).Append(RequestHeaderClientCaFile).Append(ConfigFile).Append(WebhookConfigFile))
        {
            if (file.Length > 0 && !File.Exists(file))
            {
                yield return $"{file} does not exist";
            }
        }

        if (ServiceAccountSigningKeyFile.Length > 0 && Issuers.Count == 0)
        {
            yield return "--service-account-signing-key-file needs --service-account-issuer";
        }

        if (RequestHeaderClientCaFile.Length > 0 && RequestHeaderUsernames.Count == 0)
        {
            yield return "--requestheader-client-ca-file needs --requestheader-username-headers";
        }

        if (ConfigFile.Length > 0 && Oidc.IssuerUrl.Length > 0)
        {
            yield return "--authentication-config and --oidc-* exclude each other";
        }

        foreach (var problem in Oidc.Problems())
        {
            yield return problem;
        }

        if (MaxTokenExpiration != TimeSpan.Zero && MaxTokenExpiration < TimeSpan.FromHours(1))
        {
            yield return "--service-account-max-token-expiration is shorter than 1h";
        }
    }
}
