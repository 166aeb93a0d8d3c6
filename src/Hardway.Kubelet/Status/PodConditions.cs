using Hardway.Api.Core.V1;
using Hardway.Kubelet.Pods;

namespace Hardway.Kubelet.Status;

/// <summary>The conditions that a kubelet owns, from phase and container statuses; times of transition are carried over. Pure.</summary>
internal static class PodConditions
{
    public const string ByKubelet = "TerminationByKubelet";

    /// <summary>Conditions that come and go; nobody else writes them.</summary>
    public static readonly string[] Passing = ["PodResizePending", "PodResizeInProgress"];

    public static readonly string[] Owned = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

    private static readonly PodCondition True = new() { Status = "True" };

    public static List<PodCondition> Compute(Pod pod, PodStatus status, bool sandboxReady, DateTimeOffset now, IEnumerable<PodCondition>? more = null)
    {
        var containersReady = ContainersReady(pod, status);
        List<PodCondition> computed =
        [
            Typed("PodReadyToStartContainers", sandboxReady ? True : Condition("False", "", "")),
            Typed("Initialized", Initialized(pod, status)),
            Typed("Ready", Ready(pod, status, containersReady)),
            Typed("ContainersReady", containersReady),
            Typed("PodScheduled", True),
            .. more ?? [],
        ];
        var before = pod.Status.Conditions ?? [];
        foreach (var condition in computed)
        {
            condition.ObservedGeneration = pod.Metadata.Generation;
            var old = before.FirstOrDefault(b => b.Type == condition.Type);
            condition.LastTransitionTime = old?.Status == condition.Status && old.LastTransitionTime != null ? old.LastTransitionTime : ContainerStatuses.Seconds(now);
        }
        // What others wrote (readiness gates, DisruptionTarget) stays.
        computed.AddRange(before.Where(b => !Owned.Contains(b.Type) && !Passing.Contains(b.Type) && !computed.Exists(c => c.Type == b.Type)).Select(b => (PodCondition)b.DeepClone()));
        return computed;
    }

    private static PodCondition Initialized(Pod pod, PodStatus status)
    {
        if (status.Phase == PodPhase.Succeeded)
            return Condition("True", "PodCompleted", "");
        var missing = PodPhase.Pair(pod.Spec.InitContainers, status.InitContainerStatuses ?? [])
            .Where(p => p.Container.IsSidecar() ? p.Status.Started != true : p.Status.State.Terminated is not { ExitCode: 0 })
            .Select(p => p.Container.Name).ToList();
        // Once app containers have run, init containers need not be there any more.
        var hasRun = (status.ContainerStatuses ?? []).Any(c => c.State.Running != null || c.State.Terminated != null || c.LastState.Terminated != null);
        return missing.Count == 0 || hasRun ? True : Condition("False", "ContainersNotInitialized", $"containers with incomplete status: [{string.Join(' ', missing)}]");
    }

    private static PodCondition ContainersReady(Pod pod, PodStatus status)
    {
        if (status.Phase == PodPhase.Succeeded)
            return Condition("False", "PodCompleted", "");
        if (status.Phase == PodPhase.Failed)
            return Condition("False", "PodFailed", "");
        var sidecars = PodPhase.Pair(pod.Spec.InitContainers, status.InitContainerStatuses ?? []).Where(p => p.Container.IsSidecar());
        var unready = sidecars.Concat(PodPhase.Pair(pod.Spec.Containers, status.ContainerStatuses ?? [])).Where(p => !p.Status.Ready).Select(p => p.Container.Name).ToList();
        return unready.Count == 0 ? True : Condition("False", "ContainersNotReady", $"containers with unready status: [{string.Join(' ', unready)}]");
    }

    private static PodCondition Ready(Pod pod, PodStatus status, PodCondition containersReady)
    {
        if (containersReady.Status != "True")
            return containersReady;
        var missing = new List<string>();
        foreach (var gate in pod.Spec.ReadinessGates ?? [])
        {
            var condition = pod.Status.Conditions?.FirstOrDefault(c => c.Type == gate.ConditionType);
            if (condition == null)
                missing.Add($"corresponding condition of pod readiness gate \"{gate.ConditionType}\" does not exist.");
            else if (condition.Status != "True")
                missing.Add($"the status of pod readiness gate \"{gate.ConditionType}\" is not \"True\", but {condition.Status}");
        }
        return missing.Count == 0 ? True : Condition("False", "ReadinessGatesNotReady", string.Join(", ", missing));
    }

    private static PodCondition Condition(string status, string reason, string message) => new() { Status = status, Reason = reason, Message = message };

    private static PodCondition Typed(string type, PodCondition content) => new() { Type = type, Status = content.Status, Reason = content.Reason, Message = content.Message };
}
