namespace Hardway.Proxy.LoadBalancing;

/// <summary>
/// Which peers are alive, by their heartbeats. A peer that is new to us counts as alive until it could have been heard. Any thread.
/// </summary>
internal sealed class PeerLiveness(TimeProvider time, TimeSpan timeout)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _heard = new(StringComparer.Ordinal);
    private readonly HashSet<string> _left = new(StringComparer.Ordinal);

    /// <summary>The peers of now: others are forgotten.</summary>
    public void Expect(IReadOnlyCollection<string> peers)
    {
        lock (_lock)
        {
            foreach (var gone in _heard.Keys.Where(p => !peers.Contains(p)).ToList())
            {
                _heard.Remove(gone);
                _left.Remove(gone);
            }

            foreach (var peer in peers)
            {
                _heard.TryAdd(peer, time.GetTimestamp());
            }
        }
    }

    /// <summary>A heartbeat; <paramref name="leaving"/>: its last, it stops in good order.</summary>
    public void Heard(string peer, bool leaving)
    {
        lock (_lock)
        {
            if (!_heard.ContainsKey(peer))
            {
                return;
            }

            _heard[peer] = time.GetTimestamp();
            if (leaving)
            {
                _left.Add(peer);
            }
            else
            {
                _left.Remove(peer);
            }
        }
    }

    public bool IsAlive(string peer)
    {
        lock (_lock)
        {
            return _heard.TryGetValue(peer, out var at) && !_left.Contains(peer) && time.GetElapsedTime(at) < timeout;
        }
    }
}
