using Hardway.Client;
using Hardway.Scheduler.Extenders;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Queue;
using Hardway.Scheduler.State;
using Microsoft.Extensions.Logging;

namespace Hardway.Scheduler.Scheduling;

/// <summary>
/// The scheduling loop. One Pod after the other:
/// <code>
///   1 pop   2 decide (under the state's lock)   3 fits: assume it on the node, bind it beside the loop
///                                               4 does not: preempt or wait; condition and event tell why, beside the loop
///                                               5 binding failed: forget, back to the queue
/// </code>
/// At most 100 Pods are being bound or told of at once; all are awaited before <see cref="RunAsync"/> returns.
/// </summary>
internal sealed partial class PodScheduler(
    ClusterState state, SchedulingQueue queue, SchedulingAlgorithm algorithm, IReadOnlyDictionary<string, Profile> profiles,
    ExtenderChain extenders, IPodWriter writer, SchedulerMetrics metrics, TimeProvider time, ILogger log)
    : IDisposable
{
    private const int MaxBeside = 100;
    private readonly SemaphoreSlim _beside = new(MaxBeside);

    private sealed record Outcome(PodInfo? Assumed, Feasibility Found, PostFilterResult? Room, IReadOnlyList<PodInfo> Displaced)
    {
        public string? Error { get; init; }
    }

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
            // stopping: what is under way beside ends by the same token
        }

        for (var i = 0; i < MaxBeside; i++)
        {
            await _beside.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Ends the queue as well, which is this loop's alone to pop.</summary>
    public void Dispose()
    {
        _beside.Dispose();
        queue.Dispose();
    }

    /// <summary>Schedules the next Pod. What must be written is written beside.</summary>
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
            await BesideAsync(() => writer.UnschedulableAsync(queued.Pod, "SchedulerError", e.Message, null, cancel), cancel).ConfigureAwait(false);
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

        var outcome = extenders.Interested(pod) ? await DecideWithExtendersAsync(profile, pod, cancel).ConfigureAwait(false) : Decide(profile, pod);
        metrics.Algorithm(time.GetElapsedTime(start));
        if (outcome is null)
        {
            queue.Done(queued);
        }
        else if (outcome.Assumed is { } assumed)
        {
            await BesideAsync(() => BindAsync(queued, assumed, profile, start, cancel), cancel).ConfigureAwait(false);
        }
        else
        {
            metrics.Attempt(outcome.Error is null ? "unschedulable" : "error", profile.SchedulerName, time.GetElapsedTime(start));
            await RefuseAsync(queued, outcome, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Null: the Pod is being bound already.</summary>
    private Outcome? Decide(Profile profile, PodInfo pod)
    {
        lock (state.Lock)
        {
            if (state.IsAssumed(pod.Key))
            {
                return null;
            }

            var found = algorithm.Filter(profile, pod, state);
            return found.Nodes.Count > 0 ? Assume(found, algorithm.Choose(found.Cycle, found.Nodes)) : MakeRoom(found);
        }
    }

    /// <summary>Extenders are asked without the lock, so what they left is filtered again as the nodes are then.</summary>
    private async Task<Outcome?> DecideWithExtendersAsync(Profile profile, PodInfo pod, CancellationToken cancel)
    {
        Feasibility found;
        lock (state.Lock)
        {
            if (state.IsAssumed(pod.Key))
            {
                return null;
            }

            found = algorithm.Filter(profile, pod, state);
        }

        if (found.Nodes.Count > 0)
        {
            var (left, scores) = await extenders.AskAsync(pod, found.Nodes, found.Refusals, cancel).ConfigureAwait(false);
            found = found with { Nodes = left };
            lock (state.Lock)
            {
                var cycle = new Cycle(profile, pod, state, state.Nodes);
                var still = profile.RunPreFilters(cycle) is null ? left.FindAll(n => n.Node is not null && profile.RunFiltersWithNominated(cycle, n) is null) : [];
                if (still.Count > 0)
                {
                    return Assume(new Feasibility(cycle, still, found.Refusals), algorithm.Choose(cycle, still, scores));
                }
            }
        }

        Outcome outcome;
        lock (state.Lock)
        {
            outcome = MakeRoom(found);
        }

        if (outcome.Room is { Candidates.Count: > 0 } room)
        {
            var agreed = await extenders.PreemptAsync(pod, room, cancel).ConfigureAwait(false);
            lock (state.Lock)
            {
                Nominate(pod, agreed.Node);
            }

            outcome = outcome with { Room = agreed };
        }

        return outcome;
    }

    private Outcome Assume(Feasibility found, NodeInfo node)
    {
        var assumed = found.Cycle.Pod.On(node.Name);
        foreach (var plugin in found.Cycle.Profile.Reserves)
        {
            if (plugin.Reserve(found.Cycle, node) is { } refused)
            {
                Unreserve(found.Cycle.Profile, assumed);
                return new Outcome(null, found, null, []) { Error = refused.Message };
            }
        }

        state.Assume(assumed);
        state.Nominated.Remove(assumed.Key);
        return new Outcome(assumed, found, null, []);
    }

    private Outcome MakeRoom(Feasibility found)
    {
        var pod = found.Cycle.Pod;
        PostFilterResult? room = null;
        if (found.Cycle.Nodes.Length > 0)
        {
            foreach (var plugin in found.Cycle.Profile.PostFilters)
            {
                room = plugin.PostFilter(found.Cycle, found.Refusals);
                found.Refusals.Plugins.Add(((Plugin)plugin).Name);
                if (room.Node is not null)
                {
                    break;
                }
            }
        }

        IReadOnlyList<PodInfo> displaced = room?.Node is { } node ? [.. state.Nominated.Below(node, pod)] : [];
        Nominate(pod, room?.Node);
        foreach (var other in displaced)
        {
            state.Nominated.Remove(other.Key);
        }

        return new Outcome(null, found, room, displaced);
    }

    private void Nominate(PodInfo pod, string? node)
    {
        if (node is not null)
        {
            state.Nominated.Set(pod, node);
        }
    }

    private async Task RefuseAsync(QueuedPod queued, Outcome outcome, CancellationToken cancel)
    {
        var (pod, found, room) = (queued.Pod, outcome.Found, outcome.Room);
        var message = outcome.Error ?? FitError.Message(found.Cycle.Nodes.Length, found.PreFilter, found.Refusals, room?.Message ?? "");
        Refused(log, pod.Key, message);
        IReadOnlyCollection<string> by = outcome.Error is not null ? [] : found.Cycle.Nodes.Length == 0 ? [QueueRules.NoNodes] : found.Refusals.Plugins;
        if (room?.Node is null)
        {
            queue.Refused(queued, by);
        }

        await BesideAsync(
            async () =>
            {
                await writer.UnschedulableAsync(pod, outcome.Error is null ? "Unschedulable" : "SchedulerError", message, room?.Node, cancel).ConfigureAwait(false);
                if (room?.Node is { } node)
                {
                    await PreemptAsync(queued, outcome, node, by, cancel).ConfigureAwait(false);
                }
            },
            cancel).ConfigureAwait(false);
    }

    /// <summary>The Pod stays in flight until its victims are told to go: their end is an event that it then has not missed.</summary>
    private async Task PreemptAsync(QueuedPod queued, Outcome outcome, string node, IReadOnlyCollection<string> by, CancellationToken cancel)
    {
        var pod = queued.Pod;
        try
        {
            foreach (var other in outcome.Displaced)
            {
                await writer.ClearNominationAsync(other, cancel).ConfigureAwait(false);
                queue.Activate(other.Key);
            }

            foreach (var victim in outcome.Room!.Victims)
            {
                if (!victim.IsTerminating)
                {
                    Preempting(log, victim.Key, pod.Key, node);
                    await writer.PreemptAsync(victim, pod, node, cancel).ConfigureAwait(false);
                }
            }

            metrics.Preemption(outcome.Room.Victims.Count);
        }
        catch (Exception e) when (e is ApiException or HttpRequestException or IOException)
        {
            NotPreempted(log, pod.Key, node, e.Message);
            lock (state.Lock)
            {
                state.Nominated.Remove(pod.Key);
            }

            by = [];
        }
        finally
        {
            queue.Refused(queued, by);
        }
    }

    /// <summary>Work owned by _beside: the loop goes on, and ends after it.</summary>
    private async Task BesideAsync(Func<Task> work, CancellationToken cancel)
    {
        await _beside.WaitAsync(cancel).ConfigureAwait(false);
        _ = RunBesideAsync(work, cancel);
    }

    private async Task RunBesideAsync(Func<Task> work, CancellationToken cancel)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (!cancel.IsCancellationRequested)
            {
                NotTold(log, e);
            }
        }
        finally
        {
            _beside.Release();
        }
    }

    private async Task BindAsync(QueuedPod queued, PodInfo assumed, Profile profile, long start, CancellationToken cancel)
    {
        var node = assumed.NodeName;
        try
        {
            foreach (var step in profile.PreBinds)
            {
                if (await step.PreBindAsync(assumed, node, cancel).ConfigureAwait(false) is { } refused)
                {
                    throw new InvalidOperationException(refused.Message);
                }
            }

            if (!await extenders.BindAsync(assumed, node, cancel).ConfigureAwait(false))
            {
                await profile.Binds[0].BindAsync(assumed, node, cancel).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            await UndoAsync(queued, assumed, profile, start, e, cancel).ConfigureAwait(false);
            return;
        }

        queue.Done(queued);
        writer.Bound(assumed, node);
        metrics.Attempt("scheduled", profile.SchedulerName, time.GetElapsedTime(start));
        metrics.Scheduled(queued.Attempts, time.GetUtcNow() - queued.FirstAttempt);
        Bound(log, assumed.Key, node);
    }

    private async Task UndoAsync(QueuedPod queued, PodInfo assumed, Profile profile, long start, Exception e, CancellationToken cancel)
    {
        lock (state.Lock)
        {
            Unreserve(profile, assumed);
            state.Forget(assumed);
        }

        queue.Move(new ClusterEvent(ClusterEvents.AssignedPodDeleted) { Pod = assumed });
        if (e is ApiException { IsNotFound: true })
        {
            queue.Done(queued); // deleted meanwhile
            return;
        }

        queue.Refused(queued, []);
        if (!cancel.IsCancellationRequested)
        {
            metrics.Attempt("error", profile.SchedulerName, time.GetElapsedTime(start));
            BindingFailed(log, assumed.Key, assumed.NodeName, e.Message);
            await writer.UnschedulableAsync(queued.Pod, "SchedulerError", e.Message, null, cancel).ConfigureAwait(false);
        }
    }

    private static void Unreserve(Profile profile, PodInfo pod)
    {
        for (var i = profile.Reserves.Length - 1; i >= 0; i--)
        {
            profile.Reserves[i].Unreserve(pod);
        }
    }

    [LoggerMessage(LogLevel.Debug, "{Pod} is bound to {Node}")]
    private static partial void Bound(ILogger logger, string pod, string node);

    [LoggerMessage(LogLevel.Information, "{Pod} cannot be scheduled: {Reason}")]
    private static partial void Refused(ILogger logger, string pod, string reason);

    [LoggerMessage(LogLevel.Information, "{Victim} makes room for {Pod} on {Node}")]
    private static partial void Preempting(ILogger logger, string victim, string pod, string node);

    [LoggerMessage(LogLevel.Warning, "Room for {Pod} on {Node} could not be made: {Reason}")]
    private static partial void NotPreempted(ILogger logger, string pod, string node, string reason);

    [LoggerMessage(LogLevel.Warning, "{Pod} could not be bound to {Node}: {Reason}")]
    private static partial void BindingFailed(ILogger logger, string pod, string node, string reason);

    [LoggerMessage(LogLevel.Error, "Scheduling {Pod} failed")]
    private static partial void Failed(ILogger logger, Exception exception, string pod);

    [LoggerMessage(LogLevel.Warning, "What became of a Pod could not be written")]
    private static partial void NotTold(ILogger logger, Exception exception);
}
