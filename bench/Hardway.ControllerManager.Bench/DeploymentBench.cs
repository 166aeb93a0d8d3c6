using System.Diagnostics;
using System.Globalization;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;
using Container = Hardway.Api.Core.V1.Container;

namespace Hardway.ControllerManager.Bench;

/// <summary>From a Deployment's creation to the last of its Pods, as a watch sees them.</summary>
internal static class DeploymentBench
{
    public static async Task RunAsync(KubeClient client, string ns, int pods, CancellationToken ct)
    {
        var labels = new Dictionary<string, string> { ["app"] = "web" };
        var deployment = new Deployment
        {
            Metadata = new ObjectMeta { Namespace = ns, Name = "web" },
            Spec = new DeploymentSpec
            {
                Replicas = pods,
                Selector = new LabelSelector { MatchLabels = labels },
                // A scheduler that nobody is: what is measured is the controllers.
                Template = new PodTemplateSpec { Metadata = new ObjectMeta { Labels = labels }, Spec = new PodSpec { SchedulerName = "nobody", Containers = [new Container { Name = "c", Image = "pause" }] } },
            },
        };
        var clock = Stopwatch.StartNew();
        await client.CreateAsync(deployment, ct);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        TimeSpan first = default;
        await foreach (var (type, pod) in client.WatchAsync<Pod>(ns, new ListOptions { LabelSelector = "app=web" }, ct))
        {
            if (type != WatchEventType.Added || !seen.Add(pod.Metadata.Uid)) continue;
            if (seen.Count == 1) first = clock.Elapsed;
            if (seen.Count == pods) break;
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Deployment of {pods} Pods: first after {first.TotalMilliseconds:0} ms, all after {clock.Elapsed.TotalSeconds:0.00} s, {pods / clock.Elapsed.TotalSeconds:0} Pods/s"));
    }
}
