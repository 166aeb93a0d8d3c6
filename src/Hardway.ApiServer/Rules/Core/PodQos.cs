using Hardway.Api;
using Hardway.Api.Core.V1;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>The quality-of-service class of a Pod: from the cpu and memory of all its containers, or of the Pod where it has its own.</summary>
internal static class PodQos
{
    private static readonly string[] s_counted = ["cpu", "memory"];

    public static string Of(PodSpec spec)
    {
        var all = spec.Resources is { } own && (own.Requests is { Count: > 0 } || own.Limits is { Count: > 0 })
            ? [own]
            : (spec.InitContainers ?? []).Concat(spec.Containers ?? []).Select(c => c.Resources).ToList();
        if (all.All(r => !Any(r.Requests) && !Any(r.Limits)))
        {
            return "BestEffort";
        }

        return all.All(IsGuaranteed) ? "Guaranteed" : "Burstable";
    }

    private static bool Any(Dictionary<string, Quantity>? list) => list is not null && s_counted.Any(n => list.TryGetValue(n, out var q) && q.Sign > 0);

    private static bool IsGuaranteed(ResourceRequirements resources) =>
        s_counted.All(n => resources.Limits is not null && resources.Limits.TryGetValue(n, out var limit) && limit.Sign > 0
            && (resources.Requests is null || !resources.Requests.TryGetValue(n, out var request) || request == limit));
}
