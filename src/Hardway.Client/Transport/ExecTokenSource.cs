using System.Diagnostics;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Hosting;

namespace Hardway.Client;

/// <summary>
/// Runs a kubeconfig's exec plugin (client.authentication.k8s.io) and keeps its token until it expires or is refused. One run at a time.
/// Plugins that return client certificates are refused with a clear line: the transport's certificate is fixed.
/// </summary>
internal sealed class ExecTokenSource(ExecCredentialConfig config, KubeConfig cluster, TimeProvider time) : ITokenSource, IDisposable
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private volatile string? _token;
    private DateTimeOffset _expires;

    public async ValueTask<string?> GetAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_token is null || time.GetUtcNow() >= _expires) await RunAsync(cancellationToken);
            return _token;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Invalidate() => _token = null;

    public void Dispose() => _one.Dispose();

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(config.Command) { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var argument in config.Arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in config.Environment) start.Environment[name] = value;
        start.Environment["KUBERNETES_EXEC_INFO"] = Info().ToJsonString();
        using var process = Process.Start(start) ?? throw new ComponentException($"exec plugin {config.Command} did not start");
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0) throw new ComponentException($"exec plugin {config.Command} ended with exit code {process.ExitCode}");
        var status = JsonNode.Parse(output)?["status"] ?? throw new ComponentException($"exec plugin {config.Command} printed no ExecCredential status");
        _token = status["token"]?.GetValue<string>() ?? throw new ComponentException($"exec plugin {config.Command} returned no token (client certificates from plugins are not supported)");
        _expires = status["expirationTimestamp"]?.GetValue<string>() is { } text && ApiTime.TryParse(text, out var at) ? at : DateTimeOffset.MaxValue;
    }

    private JsonObject Info()
    {
        var spec = new JsonObject { ["interactive"] = false };
        if (config.ProvideClusterInfo) spec["cluster"] = new JsonObject { ["server"] = cluster.Server.ToString() };
        return new JsonObject { ["apiVersion"] = config.ApiVersion, ["kind"] = "ExecCredential", ["spec"] = spec };
    }
}
