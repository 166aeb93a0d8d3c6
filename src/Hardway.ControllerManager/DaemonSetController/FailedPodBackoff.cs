namespace Hardway.ControllerManager;

/// <summary>
/// How soon a daemon's failed Pod on a node is replaced: at once the first time, then after 1 s, 2 s, ... up to 15 minutes; twice as long without a failure
/// and it begins anew. Bounded: what is old is forgotten. Safe for all threads.
/// </summary>
internal sealed class FailedPodBackoff(TimeProvider time)
{
    private static readonly TimeSpan _first = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(15);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (long At, TimeSpan Wait)> _last = new(StringComparer.Ordinal);

    /// <summary>True: remove it now (and remember); false: not before <paramref name="left"/> has passed.</summary>
    public bool MayRemove(string key, out TimeSpan left)
    {
        lock (_gate)
        {
            left = TimeSpan.Zero;
            var wait = _first;
            if (_last.TryGetValue(key, out var last))
            {
                var passed = time.GetElapsedTime(last.At);
                if (passed < last.Wait)
                {
                    left = last.Wait - passed;
                    return false;
                }
                if (passed < 2 * _longest) wait = last.Wait * 2 < _longest ? last.Wait * 2 : _longest;
            }
            foreach (var old in _last.Where(l => time.GetElapsedTime(l.Value.At) > 2 * _longest).Select(l => l.Key).ToList()) _last.Remove(old);
            _last[key] = (time.GetTimestamp(), wait);
            return true;
        }
    }
}
