using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.ImageLocality;

/// <summary>Prefers nodes that have the Pod's images already; an image that is everywhere counts more, so that one node does not draw all Pods.</summary>
internal sealed class ImageLocalityPlugin : Plugin, IScore
{
    private const long Min = 23L << 20;
    private const long MaxPerContainer = 1000L << 20;

    public override string Name => "ImageLocality";

    public bool PreScore(Cycle cycle, IReadOnlyList<NodeInfo> nodes)
    {
        var spread = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var image in Images(cycle.Pod))
        {
            spread[image] = cycle.Nodes.Count(n => n.Images.ContainsKey(image)) / (double)cycle.Nodes.Count;
        }

        cycle.Set(this, spread);
        return spread.Values.Any(s => s > 0);
    }

    public long Score(Cycle cycle, NodeInfo node)
    {
        var spread = cycle.Get<Dictionary<string, double>>(this)!;
        double sum = 0;
        foreach (var image in Images(cycle.Pod))
        {
            sum += node.Images.TryGetValue(image, out var size) ? size * spread[image] : 0;
        }

        var containers = (cycle.Pod.Pod.Spec.Containers?.Count ?? 0) + (cycle.Pod.Pod.Spec.InitContainers?.Count ?? 0);
        var max = MaxPerContainer * Math.Max(1, containers);
        return (long)(Scores.Max * (Math.Clamp(sum, Min, max) - Min) / (max - Min));
    }

    private static IEnumerable<string> Images(PodInfo pod) =>
        (pod.Pod.Spec.InitContainers ?? []).Concat(pod.Pod.Spec.Containers ?? []).Select(c => Normal(c.Image));

    /// <summary>Nodes list images with a tag: "nginx" is "nginx:latest". The registry's default name is written out.</summary>
    private static string Normal(string image)
    {
        var tagged = image.LastIndexOf(':') > image.LastIndexOf('/') ? image : image + ":latest";
        return tagged.Contains('/') ? tagged : "docker.io/library/" + tagged;
    }
}
