using Hardway.Api.Core.V1;
using Hardway.Kubelet.Pods;

namespace Hardway.Kubelet.Status;

/// <summary>
/// A Pod's phase from its containers:
/// <code>
///   Pending ──► Running ──► Succeeded   (every container ended with 0 and none is to be started again)
///      └────────────┴─────► Failed      (one ended otherwise and none is to be started again)
/// </code>
/// A phase that is final stays. Pure.
/// </summary>
internal static class PodPhase
{
    public const string Pending = "Pending", Running = "Running", Succeeded = "Succeeded", Failed = "Failed";

    /// <param name="ending">The Pod is being terminated: nothing will be started again.</param>
    public static string Compute(Pod pod, List<ContainerStatus> init, List<ContainerStatus> containers, bool ending)
    {
        var initialized = true;
        foreach (var (container, status) in Pair(pod.Spec.InitContainers, init))
        {
            var done = container.IsSidecar() ? status.Started == true || HasRun(status) : status.State.Terminated is { ExitCode: 0 };
            if (!container.IsSidecar() && LastExit(status) is { } code and not 0 && (ending || !RestartRules.MayRestart(pod, container, code)) && status.State.Running == null)
                return Failed;
            initialized &= done;
        }
        var waiting = 0;
        var running = 0;
        var stopped = 0;
        var succeeded = 0;
        var again = false;
        foreach (var (container, status) in Pair(pod.Spec.Containers, containers))
        {
            if (status.State.Running != null)
                running++;
            else if (status.State.Terminated is { } ended)
                (stopped, succeeded) = (stopped + 1, succeeded + (ended.ExitCode == 0 ? 1 : 0));
            else if (status.LastState.Terminated != null)
                stopped++;
            else
                waiting++;
            again |= status.State.Running == null && LastExit(status) is { } code && RestartRules.MayRestart(pod, container, code);
        }
        if (!initialized && running == 0 && stopped == 0)
            return Pending;
        if (waiting > 0)
            return ending && running == 0 ? Failed : Pending;
        if (running > 0)
            return Running;
        if (ending)
            return stopped == succeeded ? Succeeded : Failed;
        if (again)
            return Running;
        return stopped == succeeded ? Succeeded : Failed;
    }

    private static bool HasRun(ContainerStatus status) => status.State.Terminated != null || status.LastState.Terminated != null;

    private static int? LastExit(ContainerStatus status) => status.State.Terminated?.ExitCode ?? status.LastState.Terminated?.ExitCode;

    internal static IEnumerable<(Container Container, ContainerStatus Status)> Pair(List<Container>? containers, List<ContainerStatus> statuses) =>
        (containers ?? []).Select(c => (c, statuses.FirstOrDefault(s => s.Name == c.Name) ?? new ContainerStatus { Name = c.Name, State = new() { Waiting = new() } }));
}
