namespace Hardway.Client;

/// <summary>Waits that double up to a bound, each with up to as much again by chance, so that many clients do not return together.</summary>
internal sealed class Backoff(TimeSpan min, TimeSpan max)
{
    private TimeSpan _next = min;
    private readonly TimeSpan _min = min;

    public void Reset() => _next = _min;

    public TimeSpan Next()
    {
        var wait = _next * (1 + Random.Shared.NextDouble());
        _next = _next * 2 < max ? _next * 2 : max;
        return wait;
    }
}
