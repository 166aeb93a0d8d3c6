using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Qos;

namespace Hardway.Kubelet.Eviction;

/// <summary>
/// Who goes first: Pods that use more than they asked for before those that do not, then those of lower priority, then those that are
/// furthest above their request. Processes and inodes have no requests: priority, then use. Pure.
/// </summary>
internal static class EvictionRanking
{
    private const int SystemCritical = 2_000_000_000;

    public static IReadOnlyList<PodConsumption> Rank(EvictionSignal signal, bool separateImageStore, IEnumerable<PodConsumption> pods)
    {
        var measured = pods.Select(p => (Use: p, Amount: Amount(signal, separateImageStore, p), Request: Request(signal, p.Pod))).ToList();
        return
        [
            .. measured.OrderByDescending(m => m.Request is { } r && m.Amount > r).ThenBy(m => m.Use.Pod.Spec.Priority ?? 0).ThenByDescending(m => m.Amount - (m.Request ?? 0)).Select(m => m.Use),
        ];
    }

    /// <summary>Static Pods and those that the cluster cannot do without are never evicted for pressure.</summary>
    public static bool IsCritical(Pod pod) => pod.IsStatic() || pod.IsMirror() || pod.Spec.Priority >= SystemCritical;

    public static long Amount(EvictionSignal signal, bool separateImageStore, PodConsumption use) => signal.Resource() switch
    {
        "memory" => use.Memory,
        "pids" => use.Processes,
        "inodes" => use.Inodes,
        _ when !separateImageStore => use.Disk,
        _ => signal.IsImageStore() ? use.LayerBytes : use.VolumeBytes + use.LogBytes,
    };

    private static long? Request(EvictionSignal signal, Pod pod) => signal.Resource() is "memory" or "ephemeral-storage" ? PodResources.Requests(pod, signal.Resource()).Value : null;
}
