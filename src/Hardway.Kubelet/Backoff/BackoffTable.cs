using System.Collections.Concurrent;

namespace Hardway.Kubelet.Backoff;

/// <summary>
/// Delays that double from a first value up to a ceiling, one a key (a container, an image of a Pod). A key that has been
/// quiet for twice the ceiling starts again from the first value. Safe for many threads; keys are used by one worker each.
/// </summary>
internal sealed class BackoffTable(TimeSpan initial, TimeSpan ceiling, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    private readonly record struct Entry(TimeSpan Delay, DateTimeOffset LastUpdate);

    /// <summary>The delay in force for a key; zero when there is none.</summary>
    public TimeSpan Delay(string key) => _entries.TryGetValue(key, out var entry) ? entry.Delay : TimeSpan.Zero;

    /// <summary>How long to wait still when the last attempt ended at <paramref name="since"/>; zero or less: go on.</summary>
    public TimeSpan Remaining(string key, DateTimeOffset since)
    {
        if (!_entries.TryGetValue(key, out var entry) || Expired(entry, since))
            return TimeSpan.Zero;
        var left = since + entry.Delay - time.GetUtcNow();
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>Notes another attempt: the next delay is the first value, or twice the last.</summary>
    public void Next(string key, DateTimeOffset since) => _entries.AddOrUpdate(
        key,
        _ => new Entry(initial, time.GetUtcNow()),
        (_, old) => new Entry(Expired(old, since) ? initial : Min(old.Delay * 2, ceiling), time.GetUtcNow()));

    public void Forget(string key) => _entries.TryRemove(key, out _);

    public void ForgetWithPrefix(string prefix)
    {
        foreach (var key in _entries.Keys)
        {
            if (key.StartsWith(prefix, StringComparison.Ordinal))
                Forget(key);
        }
    }

    private bool Expired(Entry entry, DateTimeOffset since) => since - entry.LastUpdate > ceiling * 2;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
