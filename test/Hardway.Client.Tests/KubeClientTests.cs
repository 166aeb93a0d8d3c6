using System.Net.Http.Headers;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Hosting;
using Hardway.Pki;
using Microsoft.Extensions.Time.Testing;

namespace Hardway.Client.Tests;

public sealed class KubeClientTests
{
    private readonly InMemoryApi _api = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refusal_is_an_exception_with_code_and_reason()
    {
        var client = _api.NewClient();
        var error = await Assert.ThrowsAsync<ApiException>(() => client.GetAsync<Pod>("default", "nope", Stop));
        Assert.True(error.IsNotFound);
        Assert.Equal("NotFound", error.Reason);
        Assert.Null(await client.TryGetAsync<Pod>("default", "nope", Stop));
        Assert.False(await client.DeleteAsync<Pod>("default", "nope", null, Stop));
    }

    [Fact]
    public async Task An_update_of_an_old_version_is_a_conflict()
    {
        var client = _api.NewClient();
        var made = await client.CreateAsync(new ConfigMap { Metadata = new ObjectMeta { Namespace = "default", Name = "a" } }, Stop);
        made.Data = new() { ["k"] = "1" };
        await client.UpdateAsync(made, Stop);
        made.Data["k"] = "2";
        Assert.True((await Assert.ThrowsAsync<ApiException>(() => client.UpdateAsync(made, Stop))).IsConflict);
    }

    [Fact]
    public async Task Too_many_requests_are_retried_after_the_time_the_server_asks_for()
    {
        var time = new FakeTimeProvider();
        using var api = new InMemoryApi(time);
        var refusals = 2;
        api.Intercept = _ =>
        {
            if (refusals-- <= 0) return null;
            var answer = InMemoryApi.Error(429, "TooManyRequests");
            answer.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(1));
            return answer;
        };
        var list = api.NewClient().ListAsync<Pod>(null, null, Stop);
        while (!list.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        Assert.Empty((await list).Items);
        Assert.Equal(3, api.Requests.Count);
    }

    [Fact]
    public void A_kubeconfig_with_inline_certificates_is_loaded()
    {
        using var authority = CertificateAuthority.Create("test");
        var files = authority.Issue(new CertificateSpec { CommonName = "system:kube-scheduler" });
        var path = Path.Combine(Path.GetTempPath(), $"hardway-{Guid.NewGuid():N}.kubeconfig");
        static string Base64(string text) => Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(text));
        File.WriteAllText(path, $$"""
            apiVersion: v1
            kind: Config
            clusters:
            - name: c
              cluster:
                certificate-authority-data: {{Base64(authority.CertificatePem)}}
                server: https://server.kubernetes.local:6443
            users:
            - name: u
              user:
                client-certificate-data: {{Base64(files.CertificatePem)}}
                client-key-data: {{Base64(files.KeyPem)}}
            contexts:
            - name: default
              context: {cluster: c, user: u, namespace: kube-system}
            current-context: default
            """);
        try
        {
            var config = KubeConfig.Load(path);
            Assert.Equal("server.kubernetes.local", config.Server.Host);
            Assert.Equal("kube-system", config.Namespace);
            Assert.True(config.ClientCertificate!.HasPrivateKey);
            Assert.NotNull(config.Authorities);
            var missing = Assert.Throws<ComponentException>(() => KubeConfig.Load(path, "other"));
            Assert.Contains("no context \"other\"", missing.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_kubeconfig_that_is_missing_is_one_clear_line() =>
        Assert.Contains("/nowhere does not exist", Assert.Throws<ComponentException>(() => KubeConfig.Load("/nowhere")).Message, StringComparison.Ordinal);
}
