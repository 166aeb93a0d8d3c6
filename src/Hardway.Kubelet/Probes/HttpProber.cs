using System.Globalization;
using System.Net.Security;
using Hardway.Api.Core.V1;

namespace Hardway.Kubelet.Probes;

/// <summary>HTTP GET probes: 200 to 399 is success. Certificates are not verified (as documented for probes); redirects to other hosts are not followed.</summary>
internal sealed class HttpProber : IDisposable
{
#pragma warning disable CA5359 // Probes ask whether a server answers, not who it is; it is documented that they skip verification.
    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.Zero,
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = AcceptAny },
    });
#pragma warning restore CA5359

    public void Dispose() => _http.Dispose();

    public async Task<(ProbeOutcome Outcome, string Message)> ProbeAsync(HTTPGetAction get, Container container, IReadOnlyList<string> podIps, TimeSpan timeout, CancellationToken stop)
    {
        if (PortOf(container, get.Port) is not { } port)
            return (ProbeOutcome.Unknown, $"port {get.Port} is not one of the container");
        var host = get.Host.Length > 0 ? get.Host : podIps.Count > 0 ? podIps[0] : "";
        var scheme = get.Scheme.Equals("HTTPS", StringComparison.OrdinalIgnoreCase) ? "https" : "http";
        if (!Uri.TryCreate($"{scheme}://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port.ToString(CultureInfo.InvariantCulture)}/{get.Path.TrimStart('/')}", UriKind.Absolute, out var uri))
            return (ProbeOutcome.Unknown, $"'{host}:{port}/{get.Path}' is not a URL");
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        request.Headers.TryAddWithoutValidation("User-Agent", "kube-probe/1.36");
        request.Headers.TryAddWithoutValidation("Accept", "*/*");
        foreach (var header in get.HttpHeaders ?? [])
        {
            request.Headers.Remove(header.Name);
            request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        }
        return await SendAsync(request, timeout, stop);
    }

    /// <summary>A number, or the name of one of the container's ports.</summary>
    public static int? PortOf(Container container, Api.IntOrString? given)
    {
        if (given is not { } port)
            return null;
        if (port.IsInt)
            return port.IntValue;
        return container.Ports?.FirstOrDefault(p => p.Name == port.StringValue)?.ContainerPortValue
            ?? (int.TryParse(port.StringValue, CultureInfo.InvariantCulture, out var number) ? number : null);
    }

    private async Task<(ProbeOutcome, string)> SendAsync(HttpRequestMessage request, TimeSpan timeout, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(timeout);
        try
        {
            using var response = await _http.SendAsync(request, limit.Token);
            var code = (int)response.StatusCode;
            return code is >= 200 and < 400 ? (ProbeOutcome.Success, "") : (ProbeOutcome.Failure, $"HTTP probe failed with statuscode: {code}");
        }
        catch (HttpRequestException e)
        {
            return (ProbeOutcome.Failure, $"Get \"{request.RequestUri}\": {e.InnerException?.Message ?? e.Message}");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return (ProbeOutcome.Failure, $"Get \"{request.RequestUri}\": no answer within {timeout.TotalSeconds} s");
        }
    }

    private static bool AcceptAny(object sender, System.Security.Cryptography.X509Certificates.X509Certificate? certificate, System.Security.Cryptography.X509Certificates.X509Chain? chain, SslPolicyErrors errors) => true;
}
