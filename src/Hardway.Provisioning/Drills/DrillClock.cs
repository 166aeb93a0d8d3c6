
namespace Hardway.Provisioning.Drills;

/// <summary>Seconds since the fault (before it: negative), the same for all who look.</summary>
internal sealed class DrillClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    public void Zero() => ZeroAt = SinceStart;

    /// <summary>When the fault was, in seconds since this clock was made; never, before it. What may be noted before the fault is noted by <see cref="SinceStart"/>, and reported less this.</summary>
    public double ZeroAt { get; private set; } = double.PositiveInfinity;

    public double SinceStart => time.GetElapsedTime(_start).TotalSeconds;

    public double Now => SinceStart - ZeroAt;
}
