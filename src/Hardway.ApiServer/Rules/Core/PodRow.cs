using System.Globalization;
using Hardway.Api.Core.V1;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What kubectl get pods shows of a Pod: containers ready, one word for its state, restarts.</summary>
internal sealed record PodRow(string Ready, string Status, string Restarts)
{
    public static PodRow Of(Pod pod, DateTimeOffset now)
    {
        var sidecars = (pod.Spec.InitContainers ?? []).Where(c => c.RestartPolicy == "Always").Select(c => c.Name).ToHashSet(StringComparer.Ordinal);
        var total = (pod.Spec.Containers?.Count ?? 0) + sidecars.Count;
        var reason = pod.Status.Reason.Length > 0 ? pod.Status.Reason : pod.Status.Phase;
        if (pod.Status.Conditions?.Any(c => c.Type == "PodScheduled" && c.Reason == "SchedulingGated") == true)
        {
            reason = "SchedulingGated";
        }

        var (initReason, initializing, sidecarsReady, initRestarts, initLast) = Init(pod, sidecars);
        reason = initReason ?? reason;
        var ready = sidecarsReady;
        var restarts = initRestarts;
        var last = initLast;
        if (!initializing)
        {
            restarts = (pod.Status.InitContainerStatuses ?? []).Where(s => sidecars.Contains(s.Name)).Sum(s => s.RestartCount);
            (reason, ready, restarts, last) = Containers(pod, reason, ready, restarts, last);
        }

        if (pod.Metadata.DeletionTimestamp is not null && pod.Status.Reason == "NodeLost")
        {
            reason = "Unknown";
        }
        else if (pod.Metadata.DeletionTimestamp is not null && pod.Status.Phase is not ("Succeeded" or "Failed"))
        {
            reason = "Terminating";
        }

        var count = restarts.ToString(CultureInfo.InvariantCulture);
        return new PodRow(
            string.Create(CultureInfo.InvariantCulture, $"{ready}/{total}"),
            reason,
            restarts > 0 && last is not null ? $"{count} ({Ages.Since(last, now)} ago)" : count);
    }

    private static (string? Reason, bool Initializing, int Ready, int Restarts, DateTimeOffset? Last) Init(Pod pod, HashSet<string> sidecars)
    {
        int ready = 0, restarts = 0;
        DateTimeOffset? last = null;
        var statuses = pod.Status.InitContainerStatuses ?? [];
        for (var i = 0; i < statuses.Count; i++)
        {
            var status = statuses[i];
            restarts += status.RestartCount;
            last = Later(last, status.LastState.Terminated?.FinishedAt);
            if (status.State.Terminated is { ExitCode: 0 })
            {
                continue;
            }

            if (sidecars.Contains(status.Name) && status.Started == true)
            {
                ready += status.Ready ? 1 : 0;
                continue;
            }

            return ("Init:" + InitReason(status, i, pod.Spec.InitContainers?.Count ?? 0), true, ready, restarts, last);
        }

        return (null, false, ready, restarts, last);
    }

    private static string InitReason(ContainerStatus status, int index, int count)
    {
        if (status.State.Terminated is { } ended)
        {
            return ended.Reason.Length > 0 ? ended.Reason : Exit(ended);
        }

        return status.State.Waiting is { Reason: { Length: > 0 } reason } && reason != "PodInitializing"
            ? reason
            : string.Create(CultureInfo.InvariantCulture, $"{index}/{count}");
    }

    private static (string Reason, int Ready, int Restarts, DateTimeOffset? Last) Containers(Pod pod, string reason, int ready, int restarts, DateTimeOffset? last)
    {
        var running = false;
        foreach (var status in Enumerable.Reverse(pod.Status.ContainerStatuses ?? []))
        {
            restarts += status.RestartCount;
            last = Later(last, status.LastState.Terminated?.FinishedAt);
            if (status.State.Waiting is { Reason.Length: > 0 } waiting)
            {
                reason = waiting.Reason;
            }
            else if (status.State.Terminated is { } ended)
            {
                reason = ended.Reason.Length > 0 ? ended.Reason : Exit(ended);
            }
            else if (status.Ready && status.State.Running is not null)
            {
                running = true;
                ready++;
            }
        }

        if (reason == "Completed" && running)
        {
            reason = pod.Status.Conditions?.Any(c => c.Type == "Ready" && c.Status == "True") == true ? "Running" : "NotReady";
        }

        return (reason, ready, restarts, last);
    }

    private static string Exit(ContainerStateTerminated ended) =>
        ended.Signal != 0 ? string.Create(CultureInfo.InvariantCulture, $"Signal:{ended.Signal}") : string.Create(CultureInfo.InvariantCulture, $"ExitCode:{ended.ExitCode}");

    private static DateTimeOffset? Later(DateTimeOffset? a, DateTimeOffset? b) => a is null || b > a ? b ?? a : a;
}
