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
internal sealed class SchedulingQueue(TimeProvider time, QueueRules rules, TimeSpan initialBackoff, TimeSpan maxBackoff, TimeSpan? leftover = null) : IDisposable
{
    private const int MaxEvents = 10_000;
    private static readonly Comparer<QueuedPod> s_byBackoff = Comparer<QueuedPod>.Create((a, b) =>
        a.BackoffUntil.CompareTo(b.BackoffUntil) is var until and not 0 ? until : a.Sequence.CompareTo(b.Sequence));

    private readonly TimeSpan _leftover = leftover ?? TimeSpan.FromMinutes(5);
    private readonly Lock _lock = new();
    private readonly SortedSet<QueuedPod> _active = new(Comparer<QueuedPod>.Create((a, b) =>
        rules.Compare(a, b) is var order and not 0 ? order : a.Sequence.CompareTo(b.Sequence)));
    private readonly SortedSet<QueuedPod> _backoff = new(s_byBackoff);
    private readonly HashSet<QueuedPod> _unschedulable = [];
    private readonly HashSet<QueuedPod> _inFlight = [];
    private readonly Dictionary<string, QueuedPod> _all = new(StringComparer.Ordinal);
    private readonly List<ClusterEvent> _events = [];
    private readonly SemaphoreSlim _signal = new(0, 1);
    private long _forgottenEvents;
    private int _gated;
    private long _sequence;
    private DateTimeOffset _nextLeftover;

    /// <summary>Told of every Pod that comes into a part of the queue: the part, and why.</summary>
    public Action<string, string>? Incoming { get; set; }

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
            Enqueue(queued, "PodAdd");
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
                    next.EventsSeen = _forgottenEvents + _events.Count;
                    _inFlight.Add(next);
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
                Leave(queued);
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
            var again = queued.MissedEvent || by.Count == 0 || Happened(queued);
            Leave(queued);
            queued.Timestamp = time.GetUtcNow();
            queued.BackoffUntil = queued.Timestamp + Backoff(queued.Attempts);
            if (again)
            {
                Wake(queued, "ScheduleAttemptFailure");
            }
            else
            {
                queued.Place = QueuePlace.Unschedulable;
                _unschedulable.Add(queued);
                Incoming?.Invoke("unschedulable", "ScheduleAttemptFailure");
            }
        }
    }

    /// <summary>Lets Pods try again that such an event may help.</summary>
    public void Move(in ClusterEvent happened)
    {
        lock (_lock)
        {
            if (_inFlight.Count > 0)
            {
                _events.Add(happened);
            }

            List<QueuedPod>? woken = null;
            foreach (var queued in _unschedulable)
            {
                if (rules.Helps(queued, happened))
                {
                    (woken ??= []).Add(queued);
                }
            }

            foreach (var queued in woken ?? [])
            {
                Wake(queued, happened.Kind.ToString());
            }
        }
    }

    /// <summary>Lets one Pod try again at once (its victims are gone).</summary>
    public void Activate(string key)
    {
        lock (_lock)
        {
            if (_all.TryGetValue(key, out var queued) && queued.Place is (QueuePlace.Unschedulable or QueuePlace.Backoff))
            {
                Leave(queued);
                Enqueue(queued, "ForceActivate");
            }
        }
    }

    public int Count(QueuePlace place)
    {
        lock (_lock)
        {
            return place switch
            {
                QueuePlace.Active => _active.Count,
                QueuePlace.Backoff => _backoff.Count,
                QueuePlace.Unschedulable => _unschedulable.Count,
                QueuePlace.InFlight => _inFlight.Count,
                QueuePlace.Gated => _gated,
                _ => 0,
            };
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
            Enqueue(queued, "PodAdd");
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
                Put(queued, QueuePlace.Backoff, "PodUpdate");
                break;
            case QueuePlace.Unschedulable when !matters:
                queued.Place = QueuePlace.Unschedulable;
                _unschedulable.Add(queued);
                break;
            case QueuePlace.Unschedulable:
                Wake(queued, "PodUpdate");
                break;
            default:
                Enqueue(queued, "PodUpdate");
                break;
        }
    }

    /// <summary>Conditions that we write ourselves must not wake the Pod.</summary>
    private static bool Matters(PodInfo old, PodInfo now) =>
        !Hardway.Api.ApiStruct.DeepEquals(old.Pod.Spec, now.Pod.Spec)
        || !SameLabels(old.Labels, now.Labels) || old.IsTerminating != now.IsTerminating;

    private static bool SameLabels(IReadOnlyDictionary<string, string>? a, IReadOnlyDictionary<string, string>? b) =>
        (a?.Count ?? 0) == (b?.Count ?? 0) && (a is null || a.All(l => b!.TryGetValue(l.Key, out var value) && value == l.Value));

    /// <summary>Did anything that helps happen since the Pod was taken?</summary>
    private bool Happened(QueuedPod queued)
    {
        if (queued.EventsSeen < _forgottenEvents)
        {
            return true;
        }

        for (var i = (int)(queued.EventsSeen - _forgottenEvents); i < _events.Count; i++)
        {
            if (rules.Helps(queued, _events[i]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Events are kept while a Pod is in flight that did not see them; too many count as one that helps.</summary>
    private void Forget()
    {
        if (_inFlight.Count == 0 || _events.Count > MaxEvents)
        {
            _forgottenEvents += _events.Count;
            _events.Clear();
        }
    }

    private void Wake(QueuedPod queued, string why)
    {
        Leave(queued);
        if (queued.BackoffUntil > time.GetUtcNow())
        {
            Put(queued, QueuePlace.Backoff, why);
        }
        else
        {
            Enqueue(queued, why);
        }
    }

    private void Enqueue(QueuedPod queued, string why)
    {
        if (rules.PreEnqueue(queued.Pod) is { } gated)
        {
            queued.Place = QueuePlace.Gated;
            queued.RefusedBy = [gated.Plugin];
            _gated++;
            Incoming?.Invoke("gated", why);
            return;
        }

        Put(queued, QueuePlace.Active, why);
    }

    private void Put(QueuedPod queued, QueuePlace place, string why)
    {
        queued.Place = place;
        (place == QueuePlace.Active ? _active : _backoff).Add(queued);
        Incoming?.Invoke(place == QueuePlace.Active ? "active" : "backoff", why);
        if (_signal.CurrentCount == 0)
        {
            _signal.Release();
        }
    }

    private void Leave(QueuedPod queued)
    {
        switch (queued.Place)
        {
            case QueuePlace.Active: _active.Remove(queued); break;
            case QueuePlace.Backoff: _backoff.Remove(queued); break;
            case QueuePlace.Unschedulable: _unschedulable.Remove(queued); break;
            case QueuePlace.InFlight: _inFlight.Remove(queued); Forget(); break;
            case QueuePlace.Gated: _gated--; break;
        }

        queued.Place = QueuePlace.None;
    }

    private void Flush()
    {
        var now = time.GetUtcNow();
        while (_backoff.Min is { } first && first.BackoffUntil <= now)
        {
            Leave(first);
            Enqueue(first, "BackoffComplete");
        }

        if (now < _nextLeftover)
        {
            return;
        }

        _nextLeftover = now + TimeSpan.FromSeconds(30);
        foreach (var old in _unschedulable.Where(q => now - q.Timestamp > _leftover).ToList())
        {
            Wake(old, "UnschedulableTimeout");
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
