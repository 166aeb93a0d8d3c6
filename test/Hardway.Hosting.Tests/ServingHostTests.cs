using System.Net;

namespace Hardway.Hosting.Tests;

public sealed class ServingHostTests : IAsyncDisposable
{
    private readonly HealthChecks _health = new();
    private readonly Metrics _metrics = new();
    private readonly ServingHost _host;
    private readonly ServingOptions _options = new() { BindAddress = IPAddress.Loopback };
    private readonly HttpClient _http = new(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } });

    public ServingHostTests() => _host = new ServingHost("test", _options, _health, _metrics, new ComponentLog(0, TextWriter.Null));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _http.Dispose();
    }

    private async Task<(HttpStatusCode Status, string Body)> GetAsync(string path)
    {
        if (_host.Port == 0) await _host.StartAsync(anyPort: true, Stop);
        using var answer = await _http.GetAsync(new Uri($"https://127.0.0.1:{_host.Port}{path}"), Stop);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Healthy_is_ok_and_verbose_lists_the_checks()
    {
        Assert.Equal((HttpStatusCode.OK, "ok"), await GetAsync("/healthz"));
        Assert.Equal("[+]ping ok\nreadyz check passed\n", (await GetAsync("/readyz?verbose")).Body);
    }

    [Fact]
    public async Task A_failed_check_fails_its_endpoints_unless_excluded()
    {
        _health.Add("etcd", () => "no answer", HealthEndpoints.Readyz);
        var (status, body) = await GetAsync("/readyz");
        Assert.Equal(HttpStatusCode.InternalServerError, status);
        Assert.Contains("[-]etcd failed: no answer", body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/livez")).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/readyz?exclude=etcd")).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/readyz/ping")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("/readyz/nope")).Status);
    }

    [Fact]
    public async Task Metrics_are_prometheus_text()
    {
        _metrics.Counter("workqueue_adds_total", "Adds.", "name").Add(2, "a\"b");
        _metrics.Histogram("latency_seconds", "L.", [0.1, 1]).Observe(0.5);
        var (_, body) = await GetAsync("/metrics");
        Assert.Contains("# TYPE workqueue_adds_total counter\nworkqueue_adds_total{name=\"a\\\"b\"} 2\n", body, StringComparison.Ordinal);
        Assert.Contains("latency_seconds_bucket{le=\"0.1\"} 0\nlatency_seconds_bucket{le=\"1\"} 1\nlatency_seconds_bucket{le=\"+Inf\"} 1\nlatency_seconds_sum 0.5\nlatency_seconds_count 1\n", body, StringComparison.Ordinal);
        Assert.Contains("process_resident_memory_bytes", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_not_authorized_reads_health_only()
    {
        _options.Authorize = _ => ValueTask.FromResult(false);
        Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync("/metrics")).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync("/livez")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("/other")).Status);
    }

    [Fact]
    public async Task A_taken_port_is_one_clear_line()
    {
        await GetAsync("/healthz");
        var second = new ServingHost("second", new ServingOptions { BindAddress = IPAddress.Loopback, Port = _host.Port }, _health, _metrics, new ComponentLog(0, TextWriter.Null));
        var error = await Assert.ThrowsAsync<ComponentException>(() => second.StartAsync(Stop));
        Assert.Contains($"second cannot serve on 127.0.0.1:{_host.Port}", error.Message, StringComparison.Ordinal);
    }
}
