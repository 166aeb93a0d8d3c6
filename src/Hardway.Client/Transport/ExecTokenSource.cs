using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Hosting;
using Hardway.Pki;

namespace Hardway.Client;

/// <summary>
/// Runs a kubeconfig's exec plugin (client.authentication.k8s.io) and keeps what it gives, a token or a client certificate or both, until that expires or is
/// refused. One run at a time. The plugin's own words on its error output go to ours: it may tell its user what to do.
/// </summary>
internal sealed class ExecTokenSource(ExecCredentialConfig config, KubeConfig cluster, TimeProvider time) : ITokenSource, IDisposable
{
    private const int Largest = 1 << 20;
    private readonly SemaphoreSlim _one = new(1, 1);
    private volatile Credential? _credential;

    private sealed record Credential(string? Token, X509Certificate2? Certificate, DateTimeOffset Expires);

    /// <summary>The certificate of the last run, for the transport: a request asks for its token first, so that a run has been.</summary>
    public X509Certificate2? Certificate => _credential?.Certificate;

    public async ValueTask<string?> GetAsync(CancellationToken cancellationToken)
    {
        if (_credential is { } known && time.GetUtcNow() < known.Expires) return known.Token;
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_credential is not { } current || time.GetUtcNow() >= current.Expires) _credential = current = await RunAsync(cancellationToken);
            return current.Token;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Invalidate() => _credential = null;

    public void Dispose() => _one.Dispose();

    private async Task<Credential> RunAsync(CancellationToken cancellationToken)
    {
        using var process = Start();
        var buffer = new char[Largest];
        var length = await process.StandardOutput.ReadBlockAsync(buffer, cancellationToken);
        if (length == Largest)
        {
            process.Kill(entireProcessTree: true);
            throw new ComponentException($"exec plugin {config.Command} printed more than {Largest} bytes");
        }
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0) throw new ComponentException($"exec plugin {config.Command} ended with exit code {process.ExitCode}");
        return Read(new string(buffer, 0, length));
    }

    private Process Start()
    {
        var start = new ProcessStartInfo(config.Command) { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var argument in config.Arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in config.Environment) start.Environment[name] = value;
        start.Environment["KUBERNETES_EXEC_INFO"] = Info().ToJsonString();
        try
        {
            return Process.Start(start) ?? throw new ComponentException($"exec plugin {config.Command} did not start");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ComponentException($"exec plugin {config.Command} cannot be run: {e.Message}{(config.InstallHint.Length > 0 ? $". {config.InstallHint}" : "")}", e);
        }
    }

    private Credential Read(string output)
    {
        JsonNode? answer;
        try { answer = JsonNode.Parse(output); }
        catch (System.Text.Json.JsonException e) { throw new ComponentException($"exec plugin {config.Command} printed no JSON", e); }
        if (Text(answer, "kind") != "ExecCredential" || Text(answer, "apiVersion") != config.ApiVersion) throw new ComponentException($"exec plugin {config.Command} printed no ExecCredential of {config.ApiVersion}");
        var status = answer?["status"];
        var token = Text(status, "token");
        var certificate = Text(status, "clientCertificateData") is { Length: > 0 } pem ? PemFiles.ParseWithKey(pem, Text(status, "clientKeyData") ?? throw new ComponentException($"exec plugin {config.Command} returned a certificate without its key")) : null;
        if (token is null && certificate is null) throw new ComponentException($"exec plugin {config.Command} returned neither a token nor a certificate");
        return new Credential(token, certificate, Text(status, "expirationTimestamp") is { } text && ApiTime.TryParse(text, out var at) ? at : DateTimeOffset.MaxValue);
    }

    private JsonObject Info()
    {
        var spec = new JsonObject { ["interactive"] = false };
        if (config.ProvideClusterInfo)
        {
            var about = new JsonObject { ["server"] = cluster.Server.ToString() };
            if (cluster.TlsServerName is { Length: > 0 } name) about["tls-server-name"] = name;
            if (cluster.InsecureSkipTlsVerify) about["insecure-skip-tls-verify"] = true;
            if (cluster.AuthoritiesPem is { } authorities) about["certificate-authority-data"] = Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(authorities));
            if (cluster.Proxy is { } proxy) about["proxy-url"] = proxy.ToString();
            spec["cluster"] = about;
        }
        return new JsonObject { ["apiVersion"] = config.ApiVersion, ["kind"] = "ExecCredential", ["spec"] = spec };
    }

    private static string? Text(JsonNode? node, string name) => (node as JsonObject)?[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
