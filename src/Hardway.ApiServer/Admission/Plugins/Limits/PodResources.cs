using Hardway.Api;
using Hardway.Api.Core.V1;

namespace Hardway.ApiServer.Admission.Plugins.Limits;

/// <summary>
/// What a Pod asks for in all: the larger of what its containers and sidecars take together and what one init container takes beside the
/// sidecars started before it (KEP-753), unless the Pod itself says (KEP-2837); and its overhead.
/// </summary>
internal static class PodResources
{
    /// <summary>Only resources that every container names are in the outcome, as one without a number has no bound.</summary>
    public static Dictionary<string, Quantity> Total(PodSpec spec, Func<ResourceRequirements, Dictionary<string, Quantity>?> which, Dictionary<string, Quantity>? ofPod) =>
        Sum(spec, which, ofPod, wholeOnly: true);

    /// <summary>As quota counts: what is named is added up.</summary>
    public static Dictionary<string, Quantity> Usage(PodSpec spec, Func<ResourceRequirements, Dictionary<string, Quantity>?> which, Dictionary<string, Quantity>? ofPod)
    {
        var total = Sum(spec, which, ofPod, wholeOnly: false);
        foreach (var (name, value) in spec.Overhead ?? [])
        {
            total[name] = total.TryGetValue(name, out var have) ? have + value : value;
        }

        return total;
    }

    private static Dictionary<string, Quantity> Sum(PodSpec spec, Func<ResourceRequirements, Dictionary<string, Quantity>?> which, Dictionary<string, Quantity>? ofPod, bool wholeOnly)
    {
        var containers = spec.Containers ?? [];
        var total = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        foreach (var container in containers)
        {
            Add(total, which(container.Resources));
        }

        if (wholeOnly)
        {
            foreach (var name in total.Keys.Where(n => !containers.All(c => which(c.Resources)?.ContainsKey(n) ?? false)).ToList())
            {
                total.Remove(name);
            }
        }

        var sidecars = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        var initial = new Dictionary<string, Quantity>(StringComparer.Ordinal);
        foreach (var container in spec.InitContainers ?? [])
        {
            if (container.RestartPolicy == "Always")
            {
                Add(sidecars, which(container.Resources));
                Raise(initial, sidecars);
                continue;
            }

            var own = new Dictionary<string, Quantity>(sidecars, StringComparer.Ordinal);
            Add(own, which(container.Resources));
            Raise(initial, own);
        }

        Add(total, sidecars);
        Raise(total, initial);
        foreach (var (name, value) in ofPod ?? [])
        {
            total[name] = value;
        }

        return total;
    }

    private static void Add(Dictionary<string, Quantity> total, Dictionary<string, Quantity>? more)
    {
        foreach (var (name, value) in more ?? [])
        {
            total[name] = total.TryGetValue(name, out var have) ? have + value : value;
        }
    }

    private static void Raise(Dictionary<string, Quantity> total, Dictionary<string, Quantity> other)
    {
        foreach (var (name, value) in other)
        {
            if (!total.TryGetValue(name, out var have) || value.CompareTo(have) > 0)
            {
                total[name] = value;
            }
        }
    }
}
