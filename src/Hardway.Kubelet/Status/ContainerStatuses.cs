using Hardway.Api.Core.V1;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Runtime;

namespace Hardway.Kubelet.Status;

/// <summary>Computes containerStatuses from the runtime's view. Pure.</summary>
internal static class ContainerStatuses
{
    public static List<ContainerStatus> Compute(Pod pod, IEnumerable<Container> containers, RuntimePod runtime, List<ContainerStatus>? before, Func<string, ContainerFacts> facts, bool init)
    {
        var hasInit = (pod.Spec.InitContainers?.Count ?? 0) > 0;
        var result = new List<ContainerStatus>();
        foreach (var container in containers)
            result.Add(One(container, runtime, before?.FirstOrDefault(b => b.Name == container.Name), facts(container.Name), init, hasInit && !init ? "PodInitializing" : init ? "PodInitializing" : "ContainerCreating"));
        return result;
    }

    private static ContainerStatus One(Container container, RuntimePod runtime, ContainerStatus? before, ContainerFacts facts, bool init, string defaultReason)
    {
        var status = new ContainerStatus { Name = container.Name, Image = container.Image };
        AddResources(container, status, facts.Actuated ?? container.Resources);
        var latest = runtime.Latest(container.Name);
        if (latest == null)
        {
            Unstarted(status, before, facts, defaultReason);
            return status;
        }
        status.ContainerID = "containerd://" + latest.Id;
        status.Image = latest.Image.Length > 0 ? latest.Image : container.Image;
        status.ImageID = latest.ImageRef;
        status.RestartCount = (int)latest.Attempt;
        status.State = State(latest, facts, defaultReason);
        if (runtime.Previous(container.Name) is { } previous)
            status.LastState = new ContainerState { Terminated = Terminated(previous) };
        else if (before is { LastState.Terminated: { } old } && before.RestartCount == status.RestartCount)
            status.LastState = new ContainerState { Terminated = old };
        if (latest.IsExited && facts.WaitingReason != null)
        {
            // The container will be started again: it waits, and what it was moves to the last state.
            status.LastState = new ContainerState { Terminated = Terminated(latest) };
            status.State = Waiting(facts.WaitingReason, facts.WaitingMessage);
        }
        SetReadiness(container, status, latest, facts, init);
        return status;
    }

    private static void Unstarted(ContainerStatus status, ContainerStatus? before, ContainerFacts facts, string defaultReason)
    {
        status.State = Waiting(facts.WaitingReason ?? defaultReason, facts.WaitingMessage);
        status.Started = false;
        if (before == null)
            return;
        status.RestartCount = before.RestartCount;
        status.ImageID = before.ImageID;
        status.ContainerID = before.ContainerID;
        if (before.State.Terminated is { } was)
        {
            // The runtime has lost a container that was known to have ended: what was told stays true.
            status.State = facts.WaitingReason == null ? new ContainerState { Terminated = was } : status.State;
            status.LastState = facts.WaitingReason == null ? before.LastState : new ContainerState { Terminated = was };
            return;
        }
        status.LastState = before.State.Running == null ? before.LastState : new ContainerState
        {
            Terminated = new ContainerStateTerminated
            {
                Reason = "ContainerStatusUnknown",
                Message = "The container could not be located when the pod was terminated",
                ExitCode = 137,
                StartedAt = before.State.Running.StartedAt,
                ContainerID = before.ContainerID,
            },
        };
    }

    private static void SetReadiness(Container container, ContainerStatus status, RuntimeContainer latest, ContainerFacts facts, bool init)
    {
        var started = latest.IsRunning && facts.StartupPassed != false;
        status.Started = started;
        status.Ready = init && !container.IsSidecar()
            ? latest.IsExited && latest.ExitCode == 0
            : started && facts.ReadinessPassed != false;
    }

    private static ContainerState State(RuntimeContainer container, ContainerFacts facts, string defaultReason) => container.State switch
    {
        Cri.ContainerState.ContainerRunning => new ContainerState { Running = new ContainerStateRunning { StartedAt = Seconds(container.StartedAt) } },
        Cri.ContainerState.ContainerExited => new ContainerState { Terminated = Terminated(container) },
        _ => Waiting(facts.WaitingReason ?? defaultReason, facts.WaitingMessage),
    };

    public static ContainerStateTerminated Terminated(RuntimeContainer container) => new()
    {
        ExitCode = container.ExitCode,
        Reason = container.Reason.Length > 0 ? container.Reason : container.ExitCode == 0 ? "Completed" : "Error",
        Message = container.TerminationMessage.Length > 0 ? container.TerminationMessage : container.Message,
        StartedAt = Seconds(container.StartedAt),
        FinishedAt = Seconds(container.FinishedAt),
        ContainerID = "containerd://" + container.Id,
    };

    private static ContainerState Waiting(string reason, string message) => new() { Waiting = new ContainerStateWaiting { Reason = reason, Message = message } };

    private static void AddResources(Container container, ContainerStatus status, ResourceRequirements has)
    {
        if (container.Resources.Requests is { Count: > 0 } requests)
            status.AllocatedResources = new(requests);
        if (has.Requests != null || has.Limits != null)
            status.Resources = new ResourceRequirements { Requests = has.Requests, Limits = has.Limits };
        if (container.VolumeMounts is { Count: > 0 } mounts)
        {
            status.VolumeMounts = [.. mounts.Select(m => new VolumeMountStatus
            {
                Name = m.Name, MountPath = m.MountPath, ReadOnly = m.ReadOnly, RecursiveReadOnly = m.ReadOnly ? "Disabled" : null,
            })];
        }
    }

    /// <summary>The API keeps whole seconds.</summary>
    internal static DateTimeOffset? Seconds(DateTimeOffset? time) => time is { } t ? t.AddTicks(-(t.Ticks % TimeSpan.TicksPerSecond)) : null;
}
