using System.Security.Cryptography;
using System.Text.Json;
using Hardway.ApiServer.Authentication;
using Hardway.ApiServer.Authentication.OpenIdConnect;
using Hardway.ApiServer.Tests.Configuration;
using Hardway.Hosting;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Tests.Authentication;

/// <summary>Tokens of a real issuer in this process: discovery and keys over HTTPS.</summary>
public sealed class OidcTests : IAsyncLifetime
{
    private readonly SigningKey _key = new(RSA.Create(2048));
    private readonly Clock _clock = new();
    private HttpsServer _issuer = null!;
    private int _fetched;

    public async ValueTask InitializeAsync() => _issuer = await HttpsServer.StartAsync(AnswerAsync);

    public ValueTask DisposeAsync() => _issuer.DisposeAsync();

    [Fact]
    public async Task Claims_make_the_user_and_keys_are_fetched_once()
    {
        using var oidc = new OidcAuthenticator(Config("""
            claimMappings:
              username: {expression: "'mine:' + claims.sub"}
              groups: {claim: roles, prefix: "r:"}
              uid: {claim: uid}
              extra: [{key: "example.test/team", valueExpression: "claims.team"}]
            claimValidationRules:
            - {claim: hd, requiredValue: example.test}
            - {expression: "claims.level >= 3", message: too low}
            userValidationRules:
            - {expression: "!user.username.startsWith('system:')", message: reserved}
            """), _clock);
        var token = Token(w =>
        {
            w.WriteString("uid", "u1");
            w.WriteString("hd", "example.test");
            w.WriteNumber("level", 3);
            w.WriteString("team", "blue");
            w.WriteStartArray("roles");
            w.WriteStringValue("dev");
            w.WriteEndArray();
        });
        var result = await oidc.AuthenticateTokenAsync(token, ["api"], TestContext.Current.CancellationToken);
        await oidc.AuthenticateTokenAsync(token, ["api"], TestContext.Current.CancellationToken);
        Assert.Null(result.Error);
        Assert.Equal(("mine:jane", "u1", "r:dev", "blue"), (result.User!.Name, result.User.Uid, result.User.Groups.Single(), result.User.Extra["example.test/team"].Single()));
        Assert.Equal(2, _fetched);
    }

    [Theory]
    [InlineData("other", 3600, "audiences")]
    [InlineData("api", -10, "expired")]
    public async Task A_token_for_others_or_of_yesterday_is_refused(string audience, int seconds, string why)
    {
        using var oidc = new OidcAuthenticator(Simple(), _clock);
        var result = await oidc.AuthenticateTokenAsync(Token(_ => { }, audience, seconds), [], TestContext.Current.CancellationToken);
        Assert.Contains(why, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_of_another_key_is_refused_and_one_of_another_issuer_left_to_others()
    {
        using var oidc = new OidcAuthenticator(Simple(), _clock);
        var forged = Jwt.Sign(new SigningKey(RSA.Create(2048)), Claims(_ => { }, "api", 3600, _issuer.Url));
        Assert.Contains("not signed", (await oidc.AuthenticateTokenAsync(forged, [], TestContext.Current.CancellationToken)).Error, StringComparison.Ordinal);
        var other = Jwt.Sign(_key, Claims(_ => { }, "api", 3600, "https://other.test"));
        Assert.Equal(AuthenticationResult.NotHandled.Error, (await oidc.AuthenticateTokenAsync(other, [], TestContext.Current.CancellationToken)).Error);
    }

    [Fact]
    public async Task A_rule_that_does_not_hold_refuses_with_its_message()
    {
        using var oidc = new OidcAuthenticator(Config("""
            claimMappings: {username: {claim: sub, prefix: ""}}
            claimValidationRules: [{expression: "claims.level >= 3", message: too low}]
            """), _clock);
        Assert.Contains("too low", (await oidc.AuthenticateTokenAsync(Token(w => w.WriteNumber("level", 1)), [], TestContext.Current.CancellationToken)).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("claimMappings: {username: {claim: sub}}", "prefix")]
    [InlineData("claimMappings: {username: {expression: 'claims.'}}", "compile")]
    [InlineData("claimMappings: {username: {claim: sub, prefix: ''}}\n  frob: 1", "frob")]
    public void A_wrong_configuration_says_where(string rest, string where) =>
        Assert.Contains(where, Assert.Throws<ComponentException>(() => Config(rest.Replace("\n  ", "\n", StringComparison.Ordinal))).Message, StringComparison.Ordinal);

    [Fact]
    public void Anonymous_requests_are_let_in_at_the_paths_that_are_named()
    {
        var config = AuthenticationConfig.Parse("f", "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\nanonymous: {enabled: true, conditions: [{path: /livez}]}");
        Assert.True(config.Anonymous!.Allows("/livez"));
        Assert.False(config.Anonymous.Allows("/api"));
    }

    private JwtConfig Simple() => Config("claimMappings: {username: {claim: sub, prefix: \"\"}}");

    private JwtConfig Config(string rest)
    {
        var lines = new List<string> { "apiVersion: apiserver.config.k8s.io/v1", "kind: AuthenticationConfiguration", "jwt:", "- issuer:", $"    url: {_issuer.Url}", "    audiences: [api]", "    certificateAuthority: |" };
        lines.AddRange(_issuer.Authority.Split('\n').Select(l => "      " + l));
        lines.AddRange(rest.Split('\n').Select(l => "  " + l));
        return AuthenticationConfig.Parse("f", string.Join('\n', lines)).Jwt.Single();
    }

    private string Token(Action<Utf8JsonWriter> more, string audience = "api", int seconds = 3600) => Jwt.Sign(_key, Claims(more, audience, seconds, _issuer.Url));

    private Action<Utf8JsonWriter> Claims(Action<Utf8JsonWriter> more, string audience, int seconds, string issuer) => w =>
    {
        w.WriteString("iss", issuer);
        w.WriteString("sub", "jane");
        w.WriteString("aud", audience);
        w.WriteNumber("exp", _clock.Now.ToUnixTimeSeconds() + seconds);
        more(w);
    };

    private async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref _fetched);
        using var text = new MemoryStream();
        using (var w = new Utf8JsonWriter(text))
        {
            w.WriteStartObject();
            if (context.Request.Path == "/keys")
            {
                w.WriteStartArray("keys");
                _key.Public.WriteJwk(w);
                w.WriteEndArray();
            }
            else
            {
                w.WriteString("issuer", _issuer.Url);
                w.WriteString("jwks_uri", _issuer.Url + "/keys");
            }

            w.WriteEndObject();
        }

        await context.Response.Body.WriteAsync(text.ToArray());
    }
}
