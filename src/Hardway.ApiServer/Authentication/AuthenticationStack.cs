using Hardway.ApiServer.Authentication.OpenIdConnect;
using Hardway.ApiServer.Authentication.ServiceAccounts;
using Hardway.ApiServer.Configuration;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.Pki;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Authentication;

/// <summary>
/// All ways to tell who sends a request, as configured, in order: front proxy, client certificate, bearer token. Who is known belongs to
/// system:authenticated. Credentials that are wrong are an error; no credentials at all make system:anonymous where that is let in.
/// </summary>
internal sealed class AuthenticationStack : IAuthenticator
{
    private readonly AuthenticationOptions _options;
    private readonly AuthenticatorChain _chain;
    private readonly Func<AuthenticationConfig>? _config;

    private AuthenticationStack(AuthenticationOptions options, Func<AuthenticationConfig>? config, AuthenticatorChain chain, ITokenAuthenticator tokens)
    {
        _options = options;
        _config = config;
        _chain = chain;
        Tokens = tokens;
    }

    /// <summary>Bearer tokens alone, for reviews.</summary>
    public ITokenAuthenticator Tokens { get; }

    /// <summary>Null without --service-account-issuer.</summary>
    public OpenIdDocuments? OpenId { get; private init; }

    /// <summary>Null without --service-account-signing-key-file.</summary>
    public ServiceAccountTokenIssuer? Issuer { get; private init; }

    /// <summary>Reads the files that the options name; what is wrong with them is thrown.</summary>
    /// <param name="options">What the command line says.</param>
    /// <param name="reader">Where accounts, Pods and Secrets are looked up.</param>
    /// <param name="time">The clock.</param>
    /// <param name="serverUrl">https://ADDRESS:PORT of this server, where discovery sends those who want the keys.</param>
    /// <param name="report">Told what was wrong with a configuration file that changed.</param>
    public static AuthenticationStack Create(AuthenticationOptions options, IResourceReader reader, TimeProvider time, string serverUrl, Action<string>? report = null)
    {
        var config = ConfigOf(options, time, report);
        var signing = options.ServiceAccountSigningKeyFile.Length > 0 ? new SigningKey(PemFiles.ReadPrivateKey(options.ServiceAccountSigningKeyFile)) : null;
        var keys = options.ServiceAccountKeyFiles.SelectMany(PemFiles.ReadPublicKeys).Select(k => new VerificationKey(k)).ToList();
        if (keys.Count == 0 && signing is not null)
        {
            keys.Add(signing.Public);
        }

        var tokens = new TokenAuthenticatorChain([.. TokenKinds(options, config, keys, reader, time)]);
        return new AuthenticationStack(options, config, new AuthenticatorChain([.. Kinds(options, tokens, time)]), tokens)
        {
            OpenId = keys.Count > 0 && options.Issuers.Count > 0
                ? new OpenIdDocuments(options.Issuers[0], options.JwksUri.Length > 0 ? options.JwksUri : serverUrl + OpenIdDocuments.KeysPath, keys)
                : null,
            Issuer = signing is null || options.Issuers.Count == 0 ? null : new ServiceAccountTokenIssuer(signing, options.Issuers[0], time),
        };
    }

    public async ValueTask<AuthenticationResult> AuthenticateAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var result = await _chain.AuthenticateAsync(http, cancellationToken).ConfigureAwait(false);
        if (result.User is { } user)
        {
            return result with { User = WithAuthenticated(user) };
        }

        return result.Error is null && LetsInAnonymous(http) ? AuthenticationResult.Success(UserInfo.Anonymous) : result;
    }

    /// <summary>Adds system:authenticated to a user who is somebody.</summary>
    public static UserInfo WithAuthenticated(UserInfo user) =>
        user.InGroup(UserInfo.AuthenticatedGroup) || user.InGroup(UserInfo.UnauthenticatedGroup) || user.Name == UserInfo.AnonymousName
            ? user
            : user with { Groups = [.. user.Groups, UserInfo.AuthenticatedGroup] };

    /// <summary>The configuration file decides where it says something; else the flag.</summary>
    private bool LetsInAnonymous(HttpContext http) => _config?.Invoke().Anonymous is { } anonymous ? anonymous.Allows(http.Request.Path.Value ?? "/") : _options.Anonymous;

    private static Func<AuthenticationConfig>? ConfigOf(AuthenticationOptions options, TimeProvider time, Action<string>? report)
    {
        if (options.ConfigFile.Length == 0)
        {
            var flags = options.Oidc.IssuerUrl.Length > 0 ? options.Oidc.ToConfig() : null;
            return flags is null ? null : () => flags;
        }

        var file = new ReloadedFile<AuthenticationConfig>(options.ConfigFile, AuthenticationConfig.Read, TimeSpan.FromSeconds(10), time, report);
        return options.SaysAnonymous && file.Current.Anonymous is not null
            ? throw new Hosting.ComponentException($"{options.ConfigFile}: anonymous and --anonymous-auth exclude each other")
            : () => file.Current;
    }

    private static IEnumerable<IAuthenticator> Kinds(AuthenticationOptions options, ITokenAuthenticator tokens, TimeProvider time)
    {
        if (options.RequestHeaderClientCaFile.Length > 0)
        {
            yield return new RequestHeaderAuthenticator(options, new ReloadedTrust(options.RequestHeaderClientCaFile, time).Current);
        }

        if (options.ClientCaFile.Length > 0)
        {
            yield return new X509Authenticator(new ReloadedTrust(options.ClientCaFile, time).Current, time);
        }

        yield return new BearerAuthenticator(tokens, options.Audiences);
    }

    private static IEnumerable<ITokenAuthenticator> TokenKinds(AuthenticationOptions options, Func<AuthenticationConfig>? config, List<VerificationKey> keys, IResourceReader reader, TimeProvider time)
    {
        if (options.TokenFile.Length > 0)
        {
            yield return TokenFileAuthenticator.Read(options.TokenFile);
        }

        if (keys.Count > 0)
        {
            yield return new ServiceAccountTokenAuthenticator(keys, options.Issuers, options.Audiences, options.LookUpServiceAccounts, reader, time);
        }

        if (options.BootstrapTokens)
        {
            yield return new BootstrapTokenAuthenticator(reader, time);
        }

        if (config is not null)
        {
            yield return new ConfiguredIssuers(config, time);
        }

        if (options.WebhookConfigFile.Length > 0)
        {
            yield return new WebhookTokenAuthenticator(WebhookConnection.Read(options.WebhookConfigFile), options.WebhookCacheTtl, time);
        }
    }
}
