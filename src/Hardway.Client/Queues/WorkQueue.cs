using Hardway.Hosting;

namespace Hardway.Client;

/// <summary>
/// Keys to reconcile. A key is in the queue at most once; a key that is added while a worker has it comes back when that worker is done, so
/// that no two workers ever have the same key. Delayed keys wait on one timer; of two delays for a key the earlier counts. Failures wait
/// exponentially longer per key. Safe for all threads.
/// </summary>
public sealed class WorkQueue : IDisposable
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Queue<string> _ready = new();
    private readonly HashSet<string> _dirty = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _processing = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _failures = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _added = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _delayed = new(StringComparer.Ordinal);
    private readonly PriorityQueue<string, DateTimeOffset> _waiting = new();
    private readonly SemaphoreSlim _available = new(0);
    private readonly ITimer _timer;
    private readonly string _name;
    private readonly Counter? _adds;
    private readonly Counter? _retries;
    private readonly Gauge? _depth;
    private readonly Histogram? _queueTime;

    public WorkQueue(string name, TimeProvider time, Metrics? metrics = null)
    {
        (_name, _time) = (name, time);
        _timer = time.CreateTimer(_ => Mature(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _adds = metrics?.Counter("workqueue_adds_total", "Total number of adds handled by workqueue", "name");
        _retries = metrics?.Counter("workqueue_retries_total", "Total number of retries handled by workqueue", "name");
        _depth = metrics?.Gauge("workqueue_depth", "Current depth of workqueue", "name");
        _queueTime = metrics?.Histogram("workqueue_queue_duration_seconds", "How long in seconds an item stays in workqueue before being requested", null, "name");
        _depth?.Set(0, name);
        if (metrics is null) return;
        var unfinished = metrics.Gauge("workqueue_unfinished_work_seconds", "How many seconds of work has been done that is in progress and hasn't been observed by work_duration.", "name");
        var longest = metrics.Gauge("workqueue_longest_running_processor_seconds", "How many seconds has the longest running processor for workqueue been running.", "name");
        metrics.OnScrape(() =>
        {
            var (sum, most) = Unfinished();
            unfinished.Set(sum, name);
            longest.Set(most, name);
        });
    }

    public TimeSpan MinBackoff { get; init; } = TimeSpan.FromMilliseconds(5);

    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(1000);

    public int Count { get { lock (_gate) return _ready.Count; } }

    public void Add(string key)
    {
        lock (_gate) AddLocked(key);
    }

    public void AddAfter(string key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(key);
            return;
        }
        lock (_gate)
        {
            var at = _time.GetUtcNow() + delay;
            if (_delayed.TryGetValue(key, out var planned) && planned <= at) return;
            _delayed[key] = at;
            _waiting.Enqueue(key, at);
            Schedule();
        }
    }

    /// <summary>Comes back after this key's own, growing wait.</summary>
    public void AddRateLimited(string key)
    {
        TimeSpan wait;
        lock (_gate)
        {
            var failures = _failures.GetValueOrDefault(key);
            _failures[key] = failures + 1;
            wait = BackoffOf(failures);
        }
        _retries?.Inc(_name);
        AddAfter(key, wait);
    }

    /// <summary>The key went well: its next failure waits shortly again.</summary>
    public void Forget(string key)
    {
        lock (_gate) _failures.Remove(key);
    }

    public int Failures(string key)
    {
        lock (_gate) return _failures.GetValueOrDefault(key);
    }

    /// <summary>The next key; the caller has it alone until <see cref="Done"/>.</summary>
    public async Task<string> GetAsync(CancellationToken cancellationToken)
    {
        await _available.WaitAsync(cancellationToken);
        lock (_gate)
        {
            var key = _ready.Dequeue();
            _dirty.Remove(key);
            _processing[key] = _time.GetTimestamp();
            _depth?.Set(_ready.Count, _name);
            if (_added.Remove(key, out var at)) _queueTime?.Observe(_time.GetElapsedTime(at), _name);
            return key;
        }
    }

    public void Done(string key)
    {
        lock (_gate)
        {
            _processing.Remove(key);
            if (_dirty.Contains(key)) MakeReady(key);
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        _available.Dispose();
    }

    /// <summary>Seconds that workers have been busy with what they have now: together, and the longest.</summary>
    internal (double Sum, double Longest) Unfinished()
    {
        lock (_gate)
        {
            var (sum, longest) = (0.0, 0.0);
            foreach (var started in _processing.Values)
            {
                var seconds = _time.GetElapsedTime(started).TotalSeconds;
                sum += seconds;
                longest = Math.Max(longest, seconds);
            }
            return (sum, longest);
        }
    }

    internal TimeSpan BackoffOf(int failures)
    {
        var wait = MinBackoff * Math.Pow(2, Math.Min(failures, 60));
        return wait < MaxBackoff ? wait : MaxBackoff;
    }

    private void AddLocked(string key)
    {
        if (!_dirty.Add(key)) return;
        _adds?.Inc(_name);
        _added[key] = _time.GetTimestamp();
        if (!_processing.ContainsKey(key)) MakeReady(key);
    }

    private void MakeReady(string key)
    {
        _ready.Enqueue(key);
        _depth?.Set(_ready.Count, _name);
        _available.Release();
    }

    private void Mature()
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            while (_waiting.TryPeek(out var key, out var at) && at <= now)
            {
                _waiting.Dequeue();
                // An entry that an earlier delay replaced is passed over.
                if (_delayed.TryGetValue(key, out var planned) && planned == at)
                {
                    _delayed.Remove(key);
                    AddLocked(key);
                }
            }
            Schedule();
        }
    }

    private void Schedule()
    {
        if (!_waiting.TryPeek(out _, out var at)) return;
        var wait = at - _time.GetUtcNow();
        _timer.Change(wait < TimeSpan.Zero ? TimeSpan.Zero : wait + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }
}
