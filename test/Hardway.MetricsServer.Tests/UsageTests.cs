using Hardway.MetricsServer.Scraping;
using Hardway.MetricsServer.Serving;

namespace Hardway.MetricsServer.Tests;

public sealed class UsageTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>What a kubelet says after so many seconds: the node's and one container's CPU seconds, and when the container began.</summary>
    private static NodeSample Sample(double seconds, double node, double container, double began = -100)
    {
        var at = Start.AddSeconds(seconds).ToUnixTimeMilliseconds();
        return ResourceText.Parse(
            $$"""
            # HELP node_cpu_usage_seconds_total [STABLE] Cumulative
            # TYPE node_cpu_usage_seconds_total counter
            node_cpu_usage_seconds_total {{node}} {{at}}
            node_memory_working_set_bytes 2e+09 {{at}}
            container_cpu_usage_seconds_total{container="a",namespace="ns",pod="p"} {{container}} {{at}}
            container_memory_working_set_bytes{container="a",namespace="ns",pod="p"} 1.048576e+06 {{at}}
            container_start_time_seconds{container="a",namespace="ns",pod="p"} {{Start.AddSeconds(began).ToUnixTimeSeconds()}}
            resource_scrape_error 0
            """, Start);
    }

    [Fact]
    public void A_rate_is_what_was_used_between_two_samples()
    {
        var store = new UsageStore();
        store.Put("n", Sample(0, 100, 10, -1000));
        Assert.Null(store.Node("n"));
        Assert.Null(store.Pod("n", "ns/p"));
        store.Put("n", Sample(15, 107.5, 10.3, -1000));
        var node = store.Node("n")!.Value;
        Assert.Equal((0.5, TimeSpan.FromSeconds(15), 2e9, Start.AddSeconds(15)), (node.Cores, node.Window, node.MemoryBytes, node.Time));
        var (name, usage) = Assert.Single(store.Pod("n", "ns/p")!);
        Assert.Equal(("a", 0.02), (name, Math.Round(usage.Cores, 6)));
        var amounts = MetricsApi.Amounts(usage with { Cores = 0.02 });
        Assert.Equal((20L, "1Mi"), (amounts["cpu"].MilliValue, amounts["memory"].ToString()));
        Assert.Null(store.Pod("n", "ns/other"));
        Assert.Null(store.Node("other"));
    }

    [Fact]
    public void A_container_that_is_new_or_was_restarted_counts_from_its_start()
    {
        var store = new UsageStore();
        store.Put("n", Sample(0, 1, 50, -1000));
        store.Put("n", Sample(15, 2, 1, 5));
        var (_, usage) = Assert.Single(store.Pod("n", "ns/p")!);
        Assert.Equal((0.1, TimeSpan.FromSeconds(10)), (usage.Cores, usage.Window));
    }

    [Fact]
    public void The_same_answer_twice_is_one_sample_and_nodes_that_are_gone_are_forgotten()
    {
        var store = new UsageStore();
        store.Put("n", Sample(0, 1, 1));
        store.Put("n", Sample(0, 1, 1));
        Assert.Null(store.Node("n"));
        store.Put("n", Sample(15, 2, 2));
        Assert.NotNull(store.Node("n"));
        store.Keep(new HashSet<string>());
        Assert.Null(store.Node("n"));
    }

    [Theory]
    [InlineData("container_cpu_usage_seconds_total{container=\"a\",namespace=\"ns\",pod=\"p\"} 1 1000")]
    [InlineData("container_cpu_usage_seconds_total{container=\"a\",namespace=\"ns\",pod=\"p\"} NaN 1000\ncontainer_memory_working_set_bytes{container=\"a\",namespace=\"ns\",pod=\"p\"} 1 1000")]
    [InlineData("}{ 1\ncontainer_{ =\n{container=\"a\"")]
    [InlineData("node_cpu_usage_seconds_total -1\nnode_memory_working_set_bytes 1")]
    public void What_is_not_whole_does_not_count(string text)
    {
        var sample = ResourceText.Parse(text, Start);
        Assert.Null(sample.Node);
        Assert.Empty(sample.Pods);
    }

    [Theory]
    [InlineData("nodes", "list nodes  ")]
    [InlineData("nodes/n", "get nodes  n")]
    [InlineData("namespaces/ns/pods", "list pods ns ")]
    [InlineData("namespaces/ns/pods/p", "get pods ns p")]
    [InlineData("namespaces/ns/services", null)]
    [InlineData("", null)]
    public void Paths_name_what_is_to_be_authorized(string path, string? expected)
    {
        var target = MetricsApi.Target(path.Split('/'));
        Assert.Equal(expected, target == null ? null : $"{target.Verb} {target.Resource} {target.Namespace} {target.Name}");
    }
}
