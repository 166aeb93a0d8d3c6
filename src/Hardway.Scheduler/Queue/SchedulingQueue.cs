using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Queue;

/// <summary>
/// Pods that wait for a node.
/// <code>
///   Add ─► gated ─(gates gone)─► active ─Pop─► in flight ─► bound (Done)
///                                  ▲               │ refused
///              backoff over        │               ▼
///            ┌──── backoff ────────┘          unschedulable
///            └───────▲──────────── event that a refusing plugin cares about, or 5 minutes
/// </code>
/// Active Pods go by priority, then by time. An event while a Pod is in flight counts as if it came after. Any thread; one lock, taken last.
/// </summary>
internal sealed class SchedulingQueue(TimeProvider time, Func<PodInfo, Refusal?> preEnqueue, Func<string, ClusterEvents> wakes, TimeSpan initialBackoff, TimeSpan maxBackoff)
    : IDisposable
{
    private static readonly TimeSpan s_leftover = TimeSpan.FromMinutes(5);
    private static readonly Comparer<QueuedPod> s_byPriority = Comparer<QueuedPod>.Create((a, b) =>
        b.Pod.Priority.CompareTo(a.Pod.Priority) is var priority and not 0 ? priority
        : a.Timestamp.CompareTo(b.Timestamp) is var age and not 0 ? age : a.Sequence.CompareTo(b.Sequence));
    private static readonly Comparer<QueuedPod> s_byBackoff = Comparer<QueuedPod>.Create((a, b) =>
        a.BackoffUntil.CompareTo(b.BackoffUntil) is var until and not 0 ? until : a.Sequence.CompareTo(b.Sequence));

    private readonly Lock _lock = new();
    private readonly SortedSet<QueuedPod> _active = new(s_byPriority);
    private readonly SortedSet<QueuedPod> _backoff = new(s_byBackoff);
    private readonly Dictionary<string, QueuedPod> _all = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _signal = new(0, 1);
    private long _sequence;
    private DateTimeOffset _nextLeftover;

    public void Add(PodInfo pod)
    {
        lock (_lock)
        {
            if (_all.ContainsKey(pod.Key))
            {
                UpdateLocked(pod);
                return;
            }

            var queued = new QueuedPod(pod, ++_sequence) { Timestamp = time.GetUtcNow(), FirstAttempt = time.GetUtcNow() };
            _all[pod.Key] = queued;
            Enqueue(queued);
        }
    }

    /// <summary>The waiting Pod changed (labels, gates, resources...): it may fit now.</summary>
    public void Update(PodInfo pod)
    {
        lock (_lock)
        {
            UpdateLocked(pod);
        }
    }

    public void Remove(string key)
    {
        lock (_lock)
        {
            if (_all.Remove(key, out var queued))
            {
                Leave(queued);
            }
        }
    }

    /// <summary>The next Pod to schedule; waits for one. Ends with <see cref="Done"/> or <see cref="Refused"/>.</summary>
    public async Task<QueuedPod> PopAsync(CancellationToken cancel)
    {
        while (true)
        {
            TimeSpan wait;
            lock (_lock)
            {
                Flush();
                if (_active.Min is { } next)
                {
                    Leave(next);
                    next.Place = QueuePlace.InFlight;
                    next.MissedEvent = false;
                    next.Attempts++;
                    return next;
                }

                wait = _backoff.Min is { } first ? first.BackoffUntil - time.GetUtcNow() : TimeSpan.FromSeconds(30);
            }

            await WaitAsync(wait > TimeSpan.FromMilliseconds(1) ? wait : TimeSpan.FromMilliseconds(1), cancel).ConfigureAwait(false);
        }
    }

    public void Done(QueuedPod queued)
    {
        lock (_lock)
        {
            if (_all.GetValueOrDefault(queued.Pod.Key) == queued)
            {
                _all.Remove(queued.Pod.Key);
            }
        }
    }

    /// <summary>No node took it, or something failed (no plugins): it waits for an event, or for its back-off when one was missed.</summary>
    public void Refused(QueuedPod queued, IReadOnlyCollection<string> by)
    {
        lock (_lock)
        {
            if (_all.GetValueOrDefault(queued.Pod.Key) != queued)
            {
                return; // deleted or bound meanwhile
            }

            queued.RefusedBy = by;
            queued.Timestamp = time.GetUtcNow();
            queued.BackoffUntil = queued.Timestamp + Backoff(queued.Attempts);
            if (queued.MissedEvent || by.Count == 0)
            {
                Wake(queued);
            }
            else
            {
                queued.Place = QueuePlace.Unschedulable;
            }
        }
    }

    /// <summary>Lets Pods try again that such an event may help.</summary>
    public void Move(ClusterEvents happened)
    {
        lock (_lock)
        {
            foreach (var queued in _all.Values.Where(q => q.Place is QueuePlace.Unschedulable or QueuePlace.InFlight).ToList())
            {
                if (queued.Place == QueuePlace.InFlight)
                {
                    queued.MissedEvent = true;
                }
                else if (queued.RefusedBy.Any(plugin => (wakes(plugin) & happened) != 0))
                {
                    Wake(queued);
                }
            }
        }
    }

    /// <summary>Lets one Pod try again at once (its victims are gone).</summary>
    public void Activate(string key)
    {
        lock (_lock)
        {
            if (_all.TryGetValue(key, out var queued) && queued.Place is QueuePlace.Unschedulable or QueuePlace.Backoff)
            {
                Leave(_all[key]);
                Enqueue(_all[key]);
            }
        }
    }

    public int Count(QueuePlace place)
    {
        lock (_lock)
        {
            return _all.Values.Count(q => q.Place == place);
        }
    }

    public void Dispose() => _signal.Dispose();

    private TimeSpan Backoff(int attempts)
    {
        var backoff = initialBackoff;
        for (var i = 1; i < attempts && backoff < maxBackoff; i++)
        {
            backoff *= 2;
        }

        return backoff < maxBackoff ? backoff : maxBackoff;
    }

    private void UpdateLocked(PodInfo pod)
    {
        if (!_all.TryGetValue(pod.Key, out var queued))
        {
            return;
        }

        if (queued.Pod.Uid != pod.Uid)
        {
            Leave(queued);
            _all[pod.Key] = queued = new QueuedPod(pod, ++_sequence) { Timestamp = time.GetUtcNow(), FirstAttempt = time.GetUtcNow() };
            Enqueue(queued);
            return;
        }

        if (queued.Place == QueuePlace.InFlight)
        {
            queued.MissedEvent |= Matters(queued.Pod, pod);
            queued.Pod = pod;
            return;
        }

        var place = queued.Place;
        var matters = Matters(queued.Pod, pod);
        Leave(queued);
        queued.Pod = pod;
        switch (place)
        {
            case QueuePlace.Backoff:
                Put(queued, QueuePlace.Backoff);
                break;
            case QueuePlace.Unschedulable when !matters:
                queued.Place = QueuePlace.Unschedulable;
                break;
            case QueuePlace.Unschedulable:
                Wake(queued);
                break;
            default:
                Enqueue(queued);
                break;
        }
    }

    /// <summary>Conditions that we write ourselves must not wake the Pod.</summary>
    private static bool Matters(PodInfo old, PodInfo now) =>
        !Hardway.Api.ApiStruct.DeepEquals(old.Pod.Spec, now.Pod.Spec)
        || !SameLabels(old.Labels, now.Labels) || old.IsTerminating != now.IsTerminating;

    private static bool SameLabels(IReadOnlyDictionary<string, string>? a, IReadOnlyDictionary<string, string>? b) =>
        (a?.Count ?? 0) == (b?.Count ?? 0) && (a is null || a.All(l => b!.TryGetValue(l.Key, out var value) && value == l.Value));

    private void Wake(QueuedPod queued)
    {
        Leave(queued);
        if (queued.BackoffUntil > time.GetUtcNow())
        {
            Put(queued, QueuePlace.Backoff);
        }
        else
        {
            Enqueue(queued);
        }
    }

    private void Enqueue(QueuedPod queued)
    {
        if (preEnqueue(queued.Pod) is { } gated)
        {
            queued.Place = QueuePlace.Gated;
            queued.RefusedBy = [gated.Plugin];
            return;
        }

        Put(queued, QueuePlace.Active);
    }

    private void Put(QueuedPod queued, QueuePlace place)
    {
        queued.Place = place;
        (place == QueuePlace.Active ? _active : _backoff).Add(queued);
        if (_signal.CurrentCount == 0)
        {
            _signal.Release();
        }
    }

    private void Leave(QueuedPod queued)
    {
        _ = queued.Place switch
        {
            QueuePlace.Active => _active.Remove(queued),
            QueuePlace.Backoff => _backoff.Remove(queued),
            _ => false,
        };
        queued.Place = QueuePlace.None;
    }

    private void Flush()
    {
        var now = time.GetUtcNow();
        while (_backoff.Min is { } first && first.BackoffUntil <= now)
        {
            Leave(first);
            Enqueue(first);
        }

        if (now < _nextLeftover)
        {
            return;
        }

        _nextLeftover = now + TimeSpan.FromSeconds(30);
        foreach (var old in _all.Values.Where(q => q.Place == QueuePlace.Unschedulable && now - q.Timestamp > s_leftover).ToList())
        {
            Wake(old);
        }
    }

    private async Task WaitAsync(TimeSpan wait, CancellationToken cancel)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using var timer = time.CreateTimer(static s => ((CancellationTokenSource)s!).Cancel(), timeout, wait, Timeout.InfiniteTimeSpan);
        try
        {
            await _signal.WaitAsync(timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // time to look for Pods whose back-off is over
        }
    }
}
