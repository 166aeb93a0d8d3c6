using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Hardway.Scheduler.Extenders;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using static Hardway.Scheduler.Tests.Samples;

namespace Hardway.Scheduler.Tests;

/// <summary>Extenders over real HTTP: what is sent, and what becomes of their answers.</summary>
public sealed class ExtenderTests : IAsyncLifetime
{
    private readonly ConcurrentDictionary<string, JsonNode> _asked = new();
    private readonly ConcurrentDictionary<string, string> _answers = new();
    private WebApplication _server = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.Run(async context =>
        {
            var verb = context.Request.Path.Value!.Split('/')[^1];
            _asked[verb] = (await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted))!;
            context.Response.StatusCode = _answers.ContainsKey(verb) ? 200 : 500;
            await context.Response.WriteAsync(_answers.GetValueOrDefault(verb, "broken"), context.RequestAborted);
        });
        await _server.StartAsync(TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private ExtenderChain Chain(bool ignorable = false, IReadOnlyList<string>? managed = null) => new(
    [
        new HttpExtender(new ExtenderConfig
        {
            UrlPrefix = new Uri(_server.Urls.First() + "/scheduler"),
            FilterVerb = "filter",
            PrioritizeVerb = "prioritize",
            PreemptVerb = "preempt",
            BindVerb = "bind",
            Weight = 2,
            NodeCacheCapable = true,
            Ignorable = ignorable,
            ManagedResources = managed ?? [],
        }),
    ], NullLogger.Instance);

    private static List<NodeInfo> Nodes(params string[] names) => [.. names.Select(n =>
    {
        var info = new NodeInfo(n);
        info.SetNode(Node(n));
        return info;
    })];

    [Fact]
    public async Task It_takes_nodes_away_with_reasons_and_weighs_the_others()
    {
        _answers["filter"] = """{"NodeNames": ["b", "c"], "FailedNodes": {"a": "too noisy"}}""";
        _answers["prioritize"] = """[{"Host": "b", "Score": 7}]""";
        using var chain = Chain();
        var refusals = new NodeRefusals();

        var (left, scores) = await chain.AskAsync(Pod("p"), Nodes("a", "b", "c"), refusals, TestContext.Current.CancellationToken);

        Assert.Equal(["b", "c"], left.Select(n => n.Name));
        Assert.Equal("too noisy", refusals["a"]!.Message);
        Assert.Equal(140, scores["b"]); // 7 of 10, twice, on the scale to 100
        Assert.Equal("p", (string?)_asked["filter"]["Pod"]!["metadata"]!["name"]);
        Assert.Equal(["a", "b", "c"], _asked["filter"]["NodeNames"]!.AsArray().Select(n => (string?)n));
    }

    [Fact]
    public async Task One_that_fails_ends_the_attempt_unless_it_is_ignorable()
    {
        using var needed = Chain();
        using var ignorable = Chain(ignorable: true);

        await Assert.ThrowsAsync<HttpRequestException>(() => needed.AskAsync(Pod("p"), Nodes("a"), new NodeRefusals(), TestContext.Current.CancellationToken));
        var (left, _) = await ignorable.AskAsync(Pod("p"), Nodes("a"), new NodeRefusals(), TestContext.Current.CancellationToken);
        Assert.Single(left);
    }

    [Fact]
    public async Task It_narrows_preemption_and_binds_its_own_pods()
    {
        _answers["preempt"] = """{"nodeNameToMetaVictims": {"b": {"pods": [{"uid": "uid-y"}], "numPDBViolations": 0}}}""";
        _answers["bind"] = "{}";
        using var chain = Chain();
        var room = new PostFilterResult("a", [Pod("x")], "") { Candidates = [new("a", [Pod("x")], 0), new("b", [Pod("y"), Pod("z")], 0)] };

        var agreed = await chain.PreemptAsync(Pod("p"), room, TestContext.Current.CancellationToken);
        Assert.Equal(("b", "default/y"), (agreed.Node, Assert.Single(agreed.Victims).Key));
        Assert.True(await chain.BindAsync(Pod("p"), "b", TestContext.Current.CancellationToken));
        Assert.Equal("b", (string?)_asked["bind"]["Node"]);
    }

    [Fact]
    public void Only_pods_that_ask_for_its_resources_are_its_business()
    {
        using var chain = Chain(managed: ["example.com/gpu"]);

        Assert.False(chain.Interested(Pod("plain")));
        Assert.True(chain.Interested(Pod("gpu", "{containers: [{name: c, image: x, resources: {limits: {example.com/gpu: '1'}, requests: {example.com/gpu: '1'}}}]}")));
    }
}
