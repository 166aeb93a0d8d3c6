using System.Security.Cryptography;
using Hardway.Api.Authentication.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Authentication;
using Hardway.ApiServer.Authentication.ServiceAccounts;

namespace Hardway.ApiServer.Tests.Authentication;

public sealed class ServiceAccountTokenTests : IDisposable
{
    private const string Issuer = "https://issuer.test";
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly Clock _clock = new();
    private readonly ServiceAccount _account = new() { Metadata = new ObjectMeta { Namespace = "ns", Name = "robot", Uid = "u-1" } };
    private readonly Pod _pod = new() { Metadata = new ObjectMeta { Namespace = "ns", Name = "holder", Uid = "p-1" } };
    private readonly MemoryReader _reader = new();

    public ServiceAccountTokenTests() => _reader.With(_account, _pod);

    [Fact]
    public async Task A_token_that_was_issued_names_its_account()
    {
        var result = await CheckAsync(Issue(new ServiceAccountClaims("ns", new BoundObject("robot", "u-1"))));

        Assert.Equal("system:serviceaccount:ns:robot", result.User!.Name);
        Assert.Equal(["system:serviceaccounts", "system:serviceaccounts:ns"], result.User.Groups);
        Assert.StartsWith("JTI=", result.User.Extra["authentication.kubernetes.io/credential-id"][0], StringComparison.Ordinal);
        Assert.Equal([Issuer], result.Audiences);
    }

    [Fact]
    public async Task A_token_bound_to_a_pod_dies_with_the_pod()
    {
        var token = Issue(new ServiceAccountClaims("ns", new BoundObject("robot", "u-1")) { Pod = new BoundObject("holder", "p-1") });
        Assert.Equal("holder", (await CheckAsync(token)).User!.Extra["authentication.kubernetes.io/pod-name"][0]);

        _reader.Remove(_pod);

        Assert.Null((await CheckAsync(token)).User);
    }

    [Fact]
    public async Task A_token_of_an_account_made_anew_is_refused()
    {
        var token = Issue(new ServiceAccountClaims("ns", new BoundObject("robot", "other-uid")));

        Assert.NotNull((await CheckAsync(token)).Error);
    }

    [Fact]
    public async Task A_token_for_another_audience_is_refused()
    {
        var token = new ServiceAccountTokenIssuer(new SigningKey(_rsa), Issuer, _clock).Issue(new ServiceAccountClaims("ns", new BoundObject("robot", "u-1")), ["vault"], TimeSpan.FromHours(1));

        Assert.Contains("audiences", (await CheckAsync(token)).Error, StringComparison.Ordinal);
        Assert.Equal(["vault"], (await Authenticator().AuthenticateTokenAsync(token, ["vault", "x"], TestContext.Current.CancellationToken)).Audiences);
    }

    [Fact]
    public async Task A_token_expires()
    {
        var token = Issue(new ServiceAccountClaims("ns", new BoundObject("robot", "u-1")));
        _clock.Now += TimeSpan.FromHours(2);

        Assert.Contains("expired", (await CheckAsync(token)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_changed_token_is_refused_and_one_of_another_issuer_is_left_to_others()
    {
        var token = Issue(new ServiceAccountClaims("ns", new BoundObject("robot", "u-1")));
        var parts = token.Split('.');
        var forged = parts[0] + "." + Base64Url.Encode("""{"iss":"https://issuer.test","sub":"system:serviceaccount:ns:admin"}"""u8) + "." + parts[2];
        var foreign = new ServiceAccountTokenIssuer(new SigningKey(_rsa), "https://other", _clock).Issue(new ServiceAccountClaims("ns", new BoundObject("robot", "u-1")), [Issuer], TimeSpan.FromHours(1));

        Assert.NotNull((await CheckAsync(forged)).Error);
        Assert.Equal(AuthenticationResult.NotHandled, await CheckAsync(foreign));
        Assert.Equal(AuthenticationResult.NotHandled, await CheckAsync("garbage"));
        Assert.Equal(AuthenticationResult.NotHandled, await CheckAsync("a.b.c"));
    }

    [Fact]
    public async Task Every_sort_of_key_signs_and_is_found_by_its_id()
    {
        foreach (var key in new AsymmetricAlgorithm[] { RSA.Create(2048), ECDsa.Create(ECCurve.NamedCurves.nistP256), ECDsa.Create(ECCurve.NamedCurves.nistP384) })
        {
            var signing = new SigningKey(key);
            var token = new ServiceAccountTokenIssuer(signing, Issuer, _clock).Issue(new ServiceAccountClaims("ns", new BoundObject("robot", "u-1")), [Issuer], TimeSpan.FromHours(1));
            var other = new VerificationKey(RSA.Create(2048));
            var authenticator = new ServiceAccountTokenAuthenticator([other, signing.Public], [Issuer], [Issuer], true, _reader, _clock);

            Assert.NotNull((await authenticator.AuthenticateTokenAsync(token, [Issuer], TestContext.Current.CancellationToken)).User);
            Assert.True(Jwt.TryParse(token, out var jwt));
            Assert.Equal(signing.Public.KeyId, jwt.KeyId);
        }
    }

    [Fact]
    public void Claims_survive_the_way_through_a_token()
    {
        var claims = new ServiceAccountClaims("ns", new BoundObject("robot", "u-1")) { Pod = new BoundObject("p", "p-1"), Node = new BoundObject("n", ""), WarnAfter = 17 };

        Assert.True(Jwt.TryParse(Issue(claims), out var jwt));
        Assert.Equal(claims, ServiceAccountClaims.Read(jwt));
    }

    public void Dispose() => _rsa.Dispose();

    private string Issue(ServiceAccountClaims claims) => new ServiceAccountTokenIssuer(new SigningKey(_rsa), Issuer, _clock).Issue(claims, [Issuer], TimeSpan.FromHours(1));

    private ServiceAccountTokenAuthenticator Authenticator() => new([new VerificationKey(_rsa)], [Issuer], [Issuer], true, _reader, _clock);

    private ValueTask<AuthenticationResult> CheckAsync(string token) => Authenticator().AuthenticateTokenAsync(token, [Issuer], TestContext.Current.CancellationToken);
}
