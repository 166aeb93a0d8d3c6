
namespace Hardway.Provisioning.Drills;

/// <summary>Seconds since the fault (before it: negative), the same for all who look.</summary>
internal sealed class DrillClock(TimeProvider time)
{
    private long _zero = time.GetTimestamp();

    public void Zero() => _zero = time.GetTimestamp();

    public double Now
    {
        get
        {
            var now = time.GetTimestamp();
            return (now - _zero) / (double)time.TimestampFrequency;
        }
    }
}
