using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Authentication;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.Pki;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Tests.Authentication;

public sealed class AuthenticatorTests
{
    [Fact]
    public void A_client_certificate_gives_its_common_name_and_organisations()
    {
        using var authority = CertificateAuthority.Create("ca");
        var trust = TrustBundle.Parse(authority.CertificatePem);
        using var certificate = X509Certificate2.CreateFromPem(authority.Issue(new CertificateSpec { CommonName = "jane", Organizations = ["a", "system:masters"] }).CertificatePem);

        var user = new X509Authenticator(() => trust, TimeProvider.System).Authenticate(certificate).User!;

        Assert.Equal("jane", user.Name);
        Assert.Equal(["a", "system:masters"], user.Groups.Order());
        Assert.StartsWith("X509SHA256=", user.Extra[X509Authenticator.CredentialId][0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_of_another_authority_or_for_servers_is_refused()
    {
        using var authority = CertificateAuthority.Create("ca");
        using var other = CertificateAuthority.Create("ca");
        var trust = TrustBundle.Parse(authority.CertificatePem);
        var authenticator = new X509Authenticator(() => trust, TimeProvider.System);
        using var foreign = X509Certificate2.CreateFromPem(other.Issue(new CertificateSpec { CommonName = "jane" }).CertificatePem);
        using var server = X509Certificate2.CreateFromPem(authority.Issue(new CertificateSpec { CommonName = "jane", Use = CertificateUse.Server }).CertificatePem);

        Assert.NotNull(authenticator.Authenticate(foreign).Error);
        Assert.NotNull(authenticator.Authenticate(server).Error);
    }

    [Fact]
    public async Task The_token_file_names_users_with_their_groups()
    {
        var file = TokenFileAuthenticator.Parse("f", "abc,jane,17,\"a,b\"\n# comment\n\nxyz,joe,18\n");

        var jane = (await file.AuthenticateTokenAsync("abc", [], TestContext.Current.CancellationToken)).User!;

        Assert.Equal(("jane", "17"), (jane.Name, jane.Uid));
        Assert.Equal(["a", "b"], jane.Groups);
        Assert.Equal("joe", (await file.AuthenticateTokenAsync("xyz", [], TestContext.Current.CancellationToken)).User!.Name);
        Assert.Equal(AuthenticationResult.NotHandled, await file.AuthenticateTokenAsync("ab", [], TestContext.Current.CancellationToken));
        Assert.Contains("line 2", Assert.Throws<InvalidDataException>(() => TokenFileAuthenticator.Parse("f", "a,b,c\nx,y\n")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bootstrap_token_counts_until_it_expires()
    {
        var clock = new Clock();
        var secret = new Secret
        {
            Metadata = new ObjectMeta { Namespace = "kube-system", Name = "bootstrap-token-abcdef" },
            Type = "bootstrap.kubernetes.io/token",
            Data = new()
            {
                ["token-id"] = "abcdef"u8.ToArray(),
                ["token-secret"] = "0123456789abcdef"u8.ToArray(),
                ["usage-bootstrap-authentication"] = "true"u8.ToArray(),
                ["auth-extra-groups"] = "system:bootstrappers:x"u8.ToArray(),
                ["expiration"] = Encoding.ASCII.GetBytes(Api.ApiTime.Format(clock.Now.AddHours(1))),
            },
        };
        var authenticator = new BootstrapTokenAuthenticator(new MemoryReader().With(secret), clock);

        var user = (await authenticator.AuthenticateTokenAsync("abcdef.0123456789abcdef", [], TestContext.Current.CancellationToken)).User!;
        Assert.Equal("system:bootstrap:abcdef", user.Name);
        Assert.Equal(["system:bootstrappers", "system:bootstrappers:x"], user.Groups);
        Assert.Null((await authenticator.AuthenticateTokenAsync("abcdef.0123456789abcdee", [], TestContext.Current.CancellationToken)).User);

        clock.Now += TimeSpan.FromHours(2);
        Assert.Null((await authenticator.AuthenticateTokenAsync("abcdef.0123456789abcdef", [], TestContext.Current.CancellationToken)).User);
    }

    [Theory]
    [InlineData("Bearer abc", "abc")]
    [InlineData("bearer   abc ", "abc")]
    [InlineData("Basic abc", null)]
    [InlineData("Bearer", null)]
    public async Task The_token_is_taken_from_the_header(string header, string? token)
    {
        var http = new DefaultHttpContext();
        http.Request.Headers.Authorization = header;

        var result = await new BearerAuthenticator(new Echo(), []).AuthenticateAsync(http, TestContext.Current.CancellationToken);

        Assert.Equal(token, result.User?.Name);
    }

    [Fact]
    public async Task Impersonation_takes_on_user_groups_and_extras_where_the_authorizer_agrees()
    {
        var context = Context();
        context.Request.Headers["Impersonate-User"] = "jane";
        context.Request.Headers["Impersonate-Group"] = new(["a", "b"]);
        context.Request.Headers["Impersonate-Extra-Acme.com%2Fproject"] = "p";
        context.User = new UserInfo("root") { Groups = [UserInfo.MastersGroup] };

        await new Impersonation(new ApiServer.Authorization.MastersAuthorizer()).ApplyAsync(context, TestContext.Current.CancellationToken);

        Assert.Equal("jane", context.User.Name);
        Assert.Equal(["a", "b", "system:authenticated"], context.User.Groups);
        Assert.Equal(["p"], context.User.Extra["acme.com/project"]);
        Assert.Equal("root", context.RealUser!.Name);
        Assert.Empty(context.Request.Headers);
    }

    [Fact]
    public async Task Impersonation_is_refused_to_others()
    {
        var context = Context();
        context.Request.Headers["Impersonate-User"] = "jane";
        context.User = new UserInfo("joe");
        var impersonation = new Impersonation(new ApiServer.Authorization.MastersAuthorizer());

        Assert.Equal(403, (await Assert.ThrowsAsync<ApiException>(async () => await impersonation.ApplyAsync(context, TestContext.Current.CancellationToken))).Code);

        var groupOnly = Context();
        groupOnly.Request.Headers["Impersonate-Group"] = "g";
        Assert.Equal(400, (await Assert.ThrowsAsync<ApiException>(async () => await impersonation.ApplyAsync(groupOnly, TestContext.Current.CancellationToken))).Code);
    }

    private static RequestContext Context() => new(new DefaultHttpContext(), new RequestInfo { Path = "/api/v1/pods", Verb = "list", IsResource = true, Resource = "pods" }, default);

    private sealed class Echo : ITokenAuthenticator
    {
        public ValueTask<AuthenticationResult> AuthenticateTokenAsync(string token, IReadOnlyList<string> audiences, CancellationToken cancellationToken) =>
            ValueTask.FromResult(AuthenticationResult.Success(new UserInfo(token)));
    }
}
