namespace Hardway.ControllerManager;

/// <summary>So many a second, and so many at once. For one thread.</summary>
internal sealed class TokenBucket(TimeProvider time, double perSecond, double burst)
{
    private readonly double _burst = burst;
    private readonly TimeProvider _time = time;
    private double _tokens = burst;
    private long _at = time.GetTimestamp();

    /// <summary>Takes one, or says how long to wait for the next.</summary>
    public bool TryTake(out TimeSpan wait)
    {
        var now = _time.GetTimestamp();
        _tokens = Math.Min(_burst, _tokens + (_time.GetElapsedTime(_at, now).TotalSeconds * perSecond));
        _at = now;
        wait = TimeSpan.Zero;
        if (_tokens >= 1)
        {
            _tokens--;
            return true;
        }
        wait = perSecond <= 0 ? TimeSpan.FromMinutes(1) : TimeSpan.FromSeconds((1 - _tokens) / perSecond);
        return false;
    }
}
