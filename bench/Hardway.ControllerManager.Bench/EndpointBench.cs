using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api.Core.V1;
using Hardway.Api.Discovery.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager.Bench;

/// <summary>From a Pod's turning ready (its status is written) to a watcher of EndpointSlices seeing its address ready, one Pod after the other.</summary>
internal static class EndpointBench
{
    public static async Task RunAsync(KubeClient client, string ns, int pods, CancellationToken ct)
    {
        await client.CreateAsync(new Service { Metadata = new ObjectMeta { Namespace = ns, Name = "web" }, Spec = new ServiceSpec { Selector = new() { ["app"] = "web" }, Ports = [new ServicePort { Port = 80 }] } }, ct);
        var all = (await client.ListAsync<Pod>(ns, new ListOptions { LabelSelector = "app=web" }, ct)).Items;
        await using var events = client.WatchAsync<EndpointSlice>(ns, null, ct).GetAsyncEnumerator(ct);
        List<double> times = [];
        for (var i = 0; i < Math.Min(pods, all.Count); i++)
        {
            var ip = $"10.200.{i / 250}.{(i % 250) + 1}";
            var clock = Stopwatch.StartNew();
            await client.PatchAsync<Pod>(ns, all[i].Metadata.Name, PatchType.StrategicMerge, Ready(ip), ct, "status");
            while (await events.MoveNextAsync())
            {
                if ((events.Current.Object.Endpoints ?? []).Exists(e => e.Conditions.Ready == true && e.Addresses?.Contains(ip) == true)) break;
            }
            times.Add(clock.Elapsed.TotalMilliseconds);
        }
        times.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Pod ready to EndpointSlice, {times.Count} Pods: median {times[times.Count / 2]:0.0} ms, 99 of 100 within {times[times.Count * 99 / 100]:0.0} ms"));
    }

    private static byte[] Ready(string ip) => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["status"] = new JsonObject
        {
            ["phase"] = "Running",
            ["podIP"] = ip,
            ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = ip }),
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True" }),
        },
    }.ToJsonString());
}
