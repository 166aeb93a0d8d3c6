using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.ImageLocality;

/// <summary>Prefers nodes that have the Pod's images already; an image that is everywhere counts more, so that one node does not draw all Pods.</summary>
internal sealed class ImageLocalityPlugin : Plugin, IPreScore, IScore
{
    private const long Min = 23L << 20;
    private const long MaxPerContainer = 1000L << 20;

    public override string Name => "ImageLocality";

    public bool PreScore(Cycle cycle, IReadOnlyList<NodeInfo> nodes)
    {
        var images = new List<(string, double)>();
        foreach (var image in Images(cycle.Pod))
        {
            if (cycle.State.NodesWithImage(image) is > 0 and var on)
            {
                images.Add((image, on / (double)cycle.Nodes.Length));
            }
        }

        cycle.KeepForScore(this, images);
        return images.Count > 0;
    }

    public long Score(Cycle cycle, NodeInfo node)
    {
        double sum = 0;
        foreach (var (image, spread) in cycle.KeptForScore<List<(string, double)>>(this))
        {
            sum += node.Images.TryGetValue(image, out var size) ? size * spread : 0;
        }

        var max = MaxPerContainer * Math.Max(1, Images(cycle.Pod).Count());
        return (long)(Scores.Max * (Math.Clamp(sum, Min, max) - Min) / (max - Min));
    }

    private static IEnumerable<string> Images(PodInfo pod)
    {
        var spec = pod.Pod.Spec;
        return (spec.InitContainers ?? []).Concat(spec.Containers ?? []).Select(c => Normal(c.Image))
            .Concat((spec.Volumes ?? []).Where(v => v.Image is not null).Select(v => Normal(v.Image!.Reference)));
    }

    /// <summary>Nodes list images with a tag: "nginx" is "nginx:latest". The registry's default name is written out.</summary>
    private static string Normal(string image)
    {
        var tagged = image.LastIndexOf(':') > image.LastIndexOf('/') ? image : image + ":latest";
        return tagged.Contains('/') ? tagged : "docker.io/library/" + tagged;
    }
}
