using Hardway.Api.Core.V1;

namespace Hardway.ControllerManager;

/// <summary>What controllers ask about a Pod.</summary>
internal static class PodState
{
    public const string DeletionCost = "controller.kubernetes.io/pod-deletion-cost";

    public static bool IsFinished(Pod pod) => pod.Status.Phase is "Succeeded" or "Failed";

    public static bool IsTerminating(Pod pod) => pod.Metadata.DeletionTimestamp is not null;

    /// <summary>Counts for a controller: neither ended nor being deleted.</summary>
    public static bool IsActive(Pod pod) => !IsFinished(pod) && !IsTerminating(pod);

    public static PodCondition? Condition(Pod pod, string type) => pod.Status.Conditions?.Find(c => c.Type == type);

    public static bool IsReady(Pod pod) => Condition(pod, "Ready")?.Status == "True";

    /// <summary>Ready for at least the seconds.</summary>
    public static bool IsAvailable(Pod pod, int minReadySeconds, DateTimeOffset now)
    {
        if (Condition(pod, "Ready") is not { Status: "True" } ready) return false;
        return minReadySeconds == 0 || (ready.LastTransitionTime is { } since && since.AddSeconds(minReadySeconds) <= now);
    }

    public static int Restarts(Pod pod) => (pod.Status.ContainerStatuses ?? []).Sum(c => c.RestartCount);
}
