using Hardway.Client;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Queue;
using Hardway.Scheduler.State;
using Microsoft.Extensions.Logging;

namespace Hardway.Scheduler.Scheduling;

/// <summary>
/// The scheduling loop. One Pod after the other:
/// <code>
///   1 pop   2 decide (under the state's lock)   3 fits: assume it on the node, bind it beside the loop
///                                               4 does not: preempt or wait; condition and event tell why
///                                               5 binding failed: forget, back to the queue
/// </code>
/// At most 100 bindings at once, all awaited before <see cref="RunAsync"/> returns.
/// </summary>
internal sealed partial class PodScheduler(
    ClusterState state, SchedulingQueue queue, SchedulingAlgorithm algorithm, NominatedPods nominated, IReadOnlyDictionary<string, Profile> profiles,
    IPodWriter writer, SchedulerMetrics metrics, TimeProvider time, ILogger log)
    : IDisposable
{
    private const int MaxBindings = 100;
    private readonly SemaphoreSlim _bindings = new(MaxBindings);

    public async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            while (!cancel.IsCancellationRequested)
            {
                await StepAsync(cancel).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // stopping: the bindings under way end by the same token
        }

        for (var i = 0; i < MaxBindings; i++)
        {
            await _bindings.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Ends the queue as well, which is this loop's alone to pop.</summary>
    public void Dispose()
    {
        _bindings.Dispose();
        queue.Dispose();
    }

    /// <summary>Schedules the next Pod. The binding goes on beside.</summary>
    public async Task StepAsync(CancellationToken cancel)
    {
        var queued = await queue.PopAsync(cancel).ConfigureAwait(false);
        var start = time.GetTimestamp();
        try
        {
            await ScheduleAsync(queued, start, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancel.IsCancellationRequested)
        {
            Failed(log, e, queued.Pod.Key);
            metrics.Attempt("error", queued.Pod.Pod.Spec.SchedulerName, time.GetElapsedTime(start));
            queue.Refused(queued, []);
        }
    }

    private async Task ScheduleAsync(QueuedPod queued, long start, CancellationToken cancel)
    {
        var pod = queued.Pod;
        if (pod.IsTerminating || !profiles.TryGetValue(pod.Pod.Spec.SchedulerName, out var profile))
        {
            queue.Done(queued);
            return;
        }

        Decision decision;
        PostFilterResult? room = null;
        PodInfo? assumed = null;
        lock (state.Lock)
        {
            if (state.IsAssumed(pod.Key))
            {
                queue.Done(queued);
                return;
            }

            decision = algorithm.Schedule(profile, pod, state);
            if (decision.Node is { } node)
            {
                assumed = pod.On(node);
                state.Assume(assumed);
                nominated.Remove(pod.Key);
            }
            else if (decision.Cycle.Nodes.Count > 0 && !MayPreempt(pod, out room))
            {
                room ??= profile.PostFilter?.PostFilter(decision.Cycle, decision.Refusals);
                if (room?.Node is { } freed)
                {
                    nominated.Set(pod, freed);
                }
            }
        }

        if (assumed is not null)
        {
            await _bindings.WaitAsync(cancel).ConfigureAwait(false);
            _ = BindAsync(queued, assumed, profile, start, cancel); // owned by _bindings: RunAsync ends after it
            return;
        }

        metrics.Attempt("unschedulable", profile.SchedulerName, time.GetElapsedTime(start));
        await RefuseAsync(queued, decision, room, profile, cancel).ConfigureAwait(false);
    }

    /// <summary>While victims of an earlier preemption are still going, another one would be too much.</summary>
    private bool MayPreempt(PodInfo pod, out PostFilterResult? room)
    {
        room = null;
        if (nominated.NodeOf(pod.Key) is { } node && state.Node(node)?.Pods.Any(p => p.IsTerminating && p.Priority < pod.Priority) == true)
        {
            room = new PostFilterResult(null, [], "preemption: not eligible due to a terminating pod on the nominated node.");
            return true;
        }

        return false;
    }

    private async Task RefuseAsync(QueuedPod queued, Decision decision, PostFilterResult? room, Profile profile, CancellationToken cancel)
    {
        var pod = queued.Pod;
        var message = FitError.Message(decision.Cycle.Nodes.Count, decision.PreFilter, decision.Refusals.Values, room?.Message ?? "");
        var by = decision.Refusals.Values.Select(r => r.Plugin).Distinct(StringComparer.Ordinal).ToList();
        Refused(log, pod.Key, message);
        queue.Refused(queued, by.Count > 0 ? by : [NoNodes]);
        await writer.UnschedulableAsync(pod, message, room?.Node, cancel).ConfigureAwait(false);
        foreach (var victim in room?.Victims ?? [])
        {
            Preempting(log, victim.Key, pod.Key, room!.Node!);
            await writer.PreemptAsync(victim, pod, room.Node!, cancel).ConfigureAwait(false);
        }

        metrics.Preemption(room?.Victims.Count ?? 0);
    }

    /// <summary>Stands for "there is no node at all" among the plugins that refused: any new node wakes the Pod.</summary>
    public const string NoNodes = "NoNodes";

    private async Task BindAsync(QueuedPod queued, PodInfo assumed, Profile profile, long start, CancellationToken cancel)
    {
        var node = assumed.NodeName;
        try
        {
            foreach (var step in profile.PreBind)
            {
                if (await step.PreBindAsync(assumed, node, cancel).ConfigureAwait(false) is { } refused)
                {
                    throw new InvalidOperationException(refused.Message);
                }
            }

            await writer.BindAsync(assumed, node, cancel).ConfigureAwait(false);
            queue.Done(queued);
            metrics.Attempt("scheduled", profile.SchedulerName, time.GetElapsedTime(start));
            metrics.Scheduled(queued.Attempts, time.GetUtcNow() - queued.FirstAttempt);
            Bound(log, assumed.Key, node);
        }
        catch (Exception e)
        {
            Undo(queued, assumed, e, cancel);
        }
        finally
        {
            _bindings.Release();
        }
    }

    private void Undo(QueuedPod queued, PodInfo assumed, Exception e, CancellationToken cancel)
    {
        lock (state.Lock)
        {
            state.Forget(assumed);
        }

        if (e is ApiException { IsNotFound: true })
        {
            queue.Done(queued); // deleted meanwhile
            return;
        }

        queue.Refused(queued, []);
        queue.Move(ClusterEvents.AssignedPodDeleted);
        if (!cancel.IsCancellationRequested)
        {
            BindingFailed(log, assumed.Key, assumed.NodeName, e.Message);
            writer.BindingFailed(assumed, e.Message);
        }
    }

    [LoggerMessage(LogLevel.Information, "{Pod} is bound to {Node}")]
    private static partial void Bound(ILogger logger, string pod, string node);

    [LoggerMessage(LogLevel.Information, "{Pod} cannot be scheduled: {Reason}")]
    private static partial void Refused(ILogger logger, string pod, string reason);

    [LoggerMessage(LogLevel.Information, "{Victim} makes room for {Pod} on {Node}")]
    private static partial void Preempting(ILogger logger, string victim, string pod, string node);

    [LoggerMessage(LogLevel.Warning, "{Pod} could not be bound to {Node}: {Reason}")]
    private static partial void BindingFailed(ILogger logger, string pod, string node, string reason);

    [LoggerMessage(LogLevel.Error, "Scheduling {Pod} failed")]
    private static partial void Failed(ILogger logger, Exception exception, string pod);
}
