using Hardway.Api;
using Hardway.Api.Core.V1;

namespace Hardway.Scheduler.State;

/// <summary>
/// What a Pod needs of a node: containers and sidecars together, or one init container with the sidecars started before it, whichever is
/// more, plus overhead (KEP-753); requests of the whole Pod replace those of its containers (KEP-2837). Pure.
/// </summary>
internal static class PodRequests
{
    /// <summary>What a container without a request counts as, for spreading only.</summary>
    public const long DefaultMilliCpu = 100;
    public const long DefaultMemory = 200 << 20;

    public static ResourceVector Of(PodSpec spec) => Of(spec, nonZero: false);

    /// <summary>CPU and memory with the defaults for containers that ask for none.</summary>
    public static (long MilliCpu, long Memory) NonZero(PodSpec spec, ResourceVector asked)
    {
        if ((spec.Containers ?? []).TrueForAll(AsksForBoth) && (spec.InitContainers ?? []).TrueForAll(AsksForBoth))
        {
            return (asked.MilliCpu, asked.Memory);
        }

        var vector = Of(spec, nonZero: true);
        return (vector.MilliCpu, vector.Memory);
    }

    private static bool AsksForBoth(Container container) =>
        container.Resources.Requests is { } requests && requests.ContainsKey("cpu") && requests.ContainsKey("memory");

    private static ResourceVector Of(PodSpec spec, bool nonZero)
    {
        var sum = new ResourceVector();
        foreach (var container in spec.Containers ?? [])
        {
            sum.Add(Of(container, nonZero));
        }

        var sidecars = new ResourceVector();
        var init = new ResourceVector();
        foreach (var container in spec.InitContainers ?? [])
        {
            var own = Of(container, nonZero);
            if (container.RestartPolicy == "Always")
            {
                sum.Add(own);
                sidecars.Add(own);
                init.Max(sidecars);
            }
            else
            {
                own.Add(sidecars);
                init.Max(own);
            }
        }

        sum.Max(init);
        foreach (var (name, amount) in spec.Resources?.Requests ?? [])
        {
            sum.Set(name, name == "cpu" ? amount.MilliValue : amount.Value);
        }

        sum.Add(ResourceVector.From(spec.Overhead));
        return sum;
    }

    private static ResourceVector Of(Container container, bool nonZero)
    {
        var requests = ResourceVector.From(container.Resources.Requests);
        if (nonZero)
        {
            requests.MilliCpu = container.Resources.Requests?.ContainsKey("cpu") == true ? requests.MilliCpu : DefaultMilliCpu;
            requests.Memory = container.Resources.Requests?.ContainsKey("memory") == true ? requests.Memory : DefaultMemory;
        }

        return requests;
    }
}
