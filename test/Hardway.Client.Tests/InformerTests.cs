using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hardway.Client.Tests;

public sealed class ListingInformerTests() : InformerTests(streams: false);

public sealed class StreamingInformerTests() : InformerTests(streams: true);

/// <summary>The same contract on a server that has lists only, and on one that begins a watch with what is there.</summary>
public abstract class InformerTests : IAsyncDisposable
{
    private readonly bool _streams;
    private readonly InMemoryApi _api;
    private readonly KubeClient _client;
    private readonly Informer<ConfigMap> _informer;
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly List<string> _seen = [];
    private readonly SemaphoreSlim _happened = new(0);
    private Task _running = Task.CompletedTask;

    protected InformerTests(bool streams)
    {
        _streams = streams;
        _api = new InMemoryApi { StreamsLists = streams };
        _client = _api.NewClient();
        _informer = new Informer<ConfigMap>(_client, NullLoggerFactory.Instance, new InformerOptions { MinBackoff = TimeSpan.FromMilliseconds(1), MaxBackoff = TimeSpan.FromMilliseconds(5) });
        _informer.AddHandler(m => Note("+", m), (_, m) => Note("~", m), m => Note("-", m));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _api.DropWatches();
        await _running;
        GC.SuppressFinalize(this);
    }

    private void Note(string what, ConfigMap map)
    {
        lock (_seen) _seen.Add(what + map.Metadata.Name);
        _happened.Release();
    }

    private async Task SeenAsync(params string[] expected)
    {
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.True(await _happened.WaitAsync(TimeSpan.FromSeconds(20), _stop.Token), $"waited for {string.Join(' ', expected)}, saw {string.Join(' ', _seen)}");
        }
        lock (_seen)
        {
            Assert.Equal(expected, _seen);
            _seen.Clear();
        }
    }

    private Task<ConfigMap> CreateAsync(string name) => _client.CreateAsync(new ConfigMap { Metadata = new ObjectMeta { Namespace = "default", Name = name } }, _stop.Token);

    private async Task StartAsync()
    {
        _running = _informer.RunAsync(_stop.Token);
        await _informer.WaitForSyncAsync(_stop.Token);
        await _api.UntilAsync(() => _api.WatcherCount > 0, "the watch", _stop.Token);
    }

    [Fact]
    public async Task What_is_there_and_what_comes_is_in_the_store_and_told_to_handlers()
    {
        await CreateAsync("a");
        await StartAsync();
        var b = await CreateAsync("b");
        b.Data = new() { ["k"] = "v" };
        await _client.UpdateAsync(b, _stop.Token);
        await _client.DeleteAsync<ConfigMap>("default", "a", null, _stop.Token);
        await SeenAsync("+a", "+b", "~b", "-a");
        Assert.Equal("v", _informer.Store.Get("default", "b")!.Data!["k"]);
        Assert.Null(_informer.Store.Get("default/a"));
        Assert.Single(_informer.Store.List("default"));
    }

    [Fact]
    public async Task A_lost_watch_goes_on_from_the_last_version_without_another_list()
    {
        await StartAsync();
        await CreateAsync("a");
        await SeenAsync("+a");
        _api.DropWatches();
        await CreateAsync("b");
        await SeenAsync("+b");
        Assert.Equal(_streams ? 0 : 1, _api.Requests.Count(r => r == "GET /api/v1/configmaps"));
    }

    [Fact]
    public async Task After_410_it_lists_again_and_finds_what_was_deleted_meanwhile()
    {
        await CreateAsync("a");
        await StartAsync();
        await SeenAsync("+a");
        var block = true;
        _api.Intercept = r => block && r.Method == HttpMethod.Get ? InMemoryApi.Error(503, "ServiceUnavailable") : null;
        _api.DropWatches();
        await _client.DeleteAsync<ConfigMap>("default", "a", null, _stop.Token);
        await CreateAsync("b");
        _api.Compact();
        block = false;
        await _happened.WaitAsync(TimeSpan.FromSeconds(20), _stop.Token);
        await _happened.WaitAsync(TimeSpan.FromSeconds(20), _stop.Token);
        lock (_seen) Assert.Equal(["+b", "-a"], _seen);
    }

    [Fact]
    public async Task An_index_follows_every_change()
    {
        _informer.Store.AddIndex("data", m => m.Data?.Values ?? Enumerable.Empty<string>());
        await StartAsync();
        var a = await CreateAsync("a");
        await SeenAsync("+a");
        Assert.Empty(_informer.Store.ByIndex("data", "x"));
        a.Data = new() { ["k"] = "x" };
        await _client.UpdateAsync(a, _stop.Token);
        await SeenAsync("~a");
        Assert.Single(_informer.Store.ByIndex("data", "x"));
        await _client.DeleteAsync<ConfigMap>("default", "a", null, _stop.Token);
        await SeenAsync("-a");
        Assert.Empty(_informer.Store.ByIndex("data", "x"));
    }
}
