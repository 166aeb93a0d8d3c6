using Hardway.Hosting;
using Hardway.Pki;
using Microsoft.Extensions.Time.Testing;

namespace Hardway.Client.Tests;

/// <summary>Kubeconfigs as users write them, and what the client does with their credentials.</summary>
public sealed class KubeConfigTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kubeconfig").FullName;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private KubeConfig Load(string user, string cluster = "server: https://10.0.0.1:6443")
    {
        var path = Path.Combine(_folder, "config");
        File.WriteAllText(path, $$"""
            apiVersion: v1
            kind: Config
            clusters: [{name: c, cluster: { {{cluster}} } }]
            users: [{name: u, user: { {{user}} } }]
            contexts: [{name: x, context: {cluster: c, user: u} }]
            current-context: x
            """);
        return KubeConfig.Load(path);
    }

    private string Script(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, "#!/bin/sh\n" + text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    [Fact]
    public void Files_are_found_beside_the_kubeconfig_and_the_cluster_is_read_whole()
    {
        using var authority = CertificateAuthority.Create("test");
        var issued = authority.Issue(new CertificateSpec { CommonName = "system:node:a" });
        File.WriteAllText(Path.Combine(_folder, "ca.crt"), authority.CertificatePem);
        File.WriteAllText(Path.Combine(_folder, "a.crt"), issued.CertificatePem);
        File.WriteAllText(Path.Combine(_folder, "a.key"), issued.KeyPem);
        var config = Load("client-certificate: a.crt, client-key: a.key, as: jane, as-groups: [dev], as-user-extra: {reason: [drill]}", "server: 'https://10.0.0.1:6443', certificate-authority: ca.crt, tls-server-name: kubernetes, proxy-url: 'http://proxy:3128'");
        Assert.Equal("CN=system:node:a", config.ClientCertificateSource!.Certificate!.Subject);
        Assert.Equal(("kubernetes", "http://proxy:3128/", "default"), (config.TlsServerName, config.Proxy!.ToString(), config.Namespace));
        Assert.Equal(authority.CertificatePem.Trim(), config.AuthoritiesPem!.Trim());
        Assert.Equal(("jane", "dev", "drill"), (config.ImpersonateUser, config.ImpersonateGroups[0], config.ImpersonateExtra[0].Value));
    }

    [Fact]
    public async Task A_token_in_a_file_is_read_again_when_it_was_replaced_or_refused()
    {
        File.WriteAllText(Path.Combine(_folder, "token"), "one\n");
        var source = new FileTokenSource(Load("tokenFile: token").TokenFile!, _time);
        Assert.Equal("one", await source.GetAsync(Stop));
        File.WriteAllText(Path.Combine(_folder, "token"), "two");
        Assert.Equal("one", await source.GetAsync(Stop));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("two", await source.GetAsync(Stop));
        File.WriteAllText(Path.Combine(_folder, "token"), "three");
        source.Invalidate();
        Assert.Equal("three", await source.GetAsync(Stop));
    }

    [Fact]
    public async Task An_exec_plugin_runs_once_until_its_token_expires()
    {
        Script("plugin", """
            echo run >> "$(dirname "$0")/runs"
            echo "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"$NAME-$1\",\"expirationTimestamp\":\"2026-01-01T01:00:00Z\"}}"
            """);
        var config = Load("exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, args: [arg], env: [{name: NAME, value: env}]}");
        using var source = new ExecTokenSource(config.Exec!, config, _time);
        Assert.Equal("env-arg", await source.GetAsync(Stop));
        Assert.Equal("env-arg", await source.GetAsync(Stop));
        Assert.Single(File.ReadAllLines(Path.Combine(_folder, "runs")));
        _time.Advance(TimeSpan.FromHours(2));
        await source.GetAsync(Stop);
        Assert.Equal(2, File.ReadAllLines(Path.Combine(_folder, "runs")).Length);
    }

    [Fact]
    public async Task An_exec_plugin_is_told_of_the_cluster_and_may_return_a_certificate()
    {
        using var authority = CertificateAuthority.Create("test");
        var issued = authority.Issue(new CertificateSpec { CommonName = "jane" });
        File.WriteAllText(Path.Combine(_folder, "answer"), new System.Text.Json.Nodes.JsonObject
        {
            ["apiVersion"] = "client.authentication.k8s.io/v1", ["kind"] = "ExecCredential",
            ["status"] = new System.Text.Json.Nodes.JsonObject { ["clientCertificateData"] = issued.CertificatePem, ["clientKeyData"] = issued.KeyPem },
        }.ToJsonString());
        Script("plugin", """
            printf %s "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/info"
            cat "$(dirname "$0")/answer"
            """);
        var config = Load("exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, provideClusterInfo: true}", "server: 'https://10.0.0.1:6443', tls-server-name: kubernetes");
        using var source = new ExecTokenSource(config.Exec!, config, _time);
        Assert.Null(await source.GetAsync(Stop));
        Assert.Equal("CN=jane", source.Certificate!.Subject);
        var info = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, "info")))!;
        Assert.Equal("kubernetes", (string?)info["spec"]!["cluster"]!["tls-server-name"]);
    }

    [Theory]
    [InlineData("exit 3", "ended with exit code 3")]
    [InlineData("echo nonsense", "printed no JSON")]
    [InlineData("echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"status\":{\"token\":\"x\"}}'", "printed no ExecCredential of client.authentication.k8s.io/v1")]
    [InlineData("echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{}}'", "neither a token nor a certificate")]
    public async Task A_plugin_that_fails_is_named_in_one_line(string script, string said)
    {
        Script("plugin", script);
        var config = Load("exec: {command: ./plugin}");
        using var source = new ExecTokenSource(config.Exec!, config, _time);
        var error = await Assert.ThrowsAsync<ComponentException>(async () => await source.GetAsync(Stop));
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.Contains("plugin", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("auth-provider: {name: gcp}", "auth-provider")]
    [InlineData("exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}", "v1alpha1")]
    [InlineData("exec: {command: x, interactiveMode: Always}", "interactiveMode")]
    [InlineData("client-certificate: a.crt", "without a client-key")]
    public void What_cannot_be_used_is_said_when_the_file_is_loaded(string user, string said) =>
        Assert.Contains(said, Assert.Throws<ComponentException>(() => Load(user)).Message, StringComparison.Ordinal);
}
