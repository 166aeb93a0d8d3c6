using Hardway.Api.Core.V1;
using Hardway.Client;
using Hardway.Hosting;
using Hardway.MetricsServer.Scraping;
using Hardway.MetricsServer.Serving;
using Microsoft.Extensions.Logging;

namespace Hardway.MetricsServer;

/// <summary>metrics-server: an aggregated API server for metrics.k8s.io, from what the kubelets tell of their nodes and Pods.</summary>
public static class MetricsServerApplet
{
    public static Task<int> RunAsync(string[] args, CancellationToken stop)
    {
        var logs = new ComponentLog();
        var flags = new FlagSet("metrics-server", "The Metrics API (metrics.k8s.io): CPU and memory of nodes and Pods, for kubectl top and the autoscaler.");
        var options = new MetricsServerOptions();
        options.AddFlags(flags);
        logs.AddFlags(flags);
        return Applet.RunAsync(flags, args, logs, cancel => RunAsync(options, logs, cancel), stop);
    }

    private static async Task<int> RunAsync(MetricsServerOptions options, ComponentLog logs, CancellationToken stop)
    {
        var time = TimeProvider.System;
        var config = KubeConfig.LoadOrInCluster(options.Kubeconfig);
        using var client = new KubeClient(config, "metrics-server", time);
        var nodes = new Informer<Node>(client, logs);
        var pods = new Informer<Pod>(client, logs);
        var configuration = new Informer<ConfigMap>(client, logs, new InformerOptions { Namespace = FrontProxy.Namespace, FieldSelector = "metadata.name=" + FrontProxy.Name });
        var store = new UsageStore();
        using var scraper = new KubeletScraper(options, config, nodes, store, time, logs.CreateLogger("Scraper"));
        var health = new HealthChecks();
        health.Add("metrics", () => scraper.Ready ? null : "no kubelet has answered yet", HealthEndpoints.Readyz);
        // Any client certificate is taken at the handshake; what it is good for is decided for each request, with the authorities known then.
        options.Serving.AnyClientCertificate = true;
        var serving = new ServingHost("metrics-server", options.Serving, health, new Metrics(), logs, time);
        var api = new MetricsApi(store, nodes, pods, new RequestGuard(client, configuration), time, logs.CreateLogger("MetricsApi"));
        serving.Map("/apis", api.HandleAsync);
        serving.Map("/apis/", api.HandleAsync);
        var host = new ComponentHost("metrics-server", logs, time)
            .Add("serving", serving.RunAsync, serving.StartAsync)
            .Add("nodes", nodes.RunAsync)
            .Add("pods", pods.RunAsync)
            .Add("front proxy", configuration.RunAsync)
            .Add("scraping", scraper.RunAsync);
        await host.RunAsync(stop);
        return 0;
    }
}
