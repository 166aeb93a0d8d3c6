using System.Net;
using System.Text;
using Hardway.Api;
using Hardway.ApiServer.Serving;
using Hardway.Hosting;

namespace Hardway.ApiServer.Tests.Serving;

/// <summary>A real server on a real port and a store of its own; anybody may do anything.</summary>
public class RunningServer : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("apiserver").FullName;
    private readonly CancellationTokenSource _stop = new();
    private readonly ComponentLog _logs = new(0, TextWriter.Null);
    private ApiServer.Serving.ApiServer? _server;
    private Task _running = Task.CompletedTask;

    public HttpClient Client { get; private set; } = new();

    public async ValueTask InitializeAsync()
    {
        var options = new ApiServerOptions
        {
            BindAddress = IPAddress.Loopback,
            AdvertiseAddress = IPAddress.Parse("10.240.0.70"),
            DataDir = Path.Combine(_directory, "store"),
            CertDir = Path.Combine(_directory, "certificates"),
            ServiceClusterIpRange = "10.32.0.0/24",
        };
        options.Admission.AddFlags(new FlagSet("test", ""));
        Configure(options);
        _server = new ApiServer.Serving.ApiServer(options, _logs, TimeProvider.System);
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _running = _server.RunAsync(_stop.Token, anyPort: true, started.SetResult);
        if (await Task.WhenAny(started.Task, _running) == _running)
        {
            await _running;
        }

        var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } };
        Client = new HttpClient(handler) { BaseAddress = new Uri($"https://127.0.0.1:{_server.Port}") };
    }

    private protected virtual void Configure(ApiServerOptions options)
    {
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Client.Dispose();
        await _stop.CancelAsync();
        try
        {
            await _running;
        }
        catch (OperationCanceledException)
        {
            // Stopped, as asked.
        }

        await _server!.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    public async Task<(int Code, Dictionary<string, object?> Body)> SendAsync(string method, string path, string? body = null, string type = "application/json")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8);
            request.Content.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue(type);
        }

        using var answer = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        var bytes = await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        return ((int)answer.StatusCode, (Dictionary<string, object?>)ApiJson.DeserializeTree(bytes)!);
    }

    public static object? At(object? tree, params string[] path) =>
        path.Aggregate(tree, (now, step) => now is List<object?> list ? list[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)] : (now as Dictionary<string, object?>)?.GetValueOrDefault(step));
}
