namespace Hardway.ApiServer.FlowControl;

/// <summary>How many seats were wanted over a time: the most, the average and how much it varied. Under its level's lock.</summary>
internal sealed class SeatDemand(long since)
{
    private long _last = since;
    private double _seats;
    private double _seconds;
    private double _sum;
    private double _squares;

    public double High { get; private set; }

    public double Average => _seconds > 0 ? _sum / _seconds : _seats;

    public double Deviation => _seconds > 0 ? Math.Sqrt(Math.Max(0, (_squares / _seconds) - (Average * Average))) : 0;

    /// <summary>From now on so many are wanted.</summary>
    public void Note(double seats, TimeProvider time)
    {
        if (seats == _seats && High >= seats)
        {
            return;
        }

        var now = time.GetTimestamp();
        if (_last != 0)
        {
            var span = time.GetElapsedTime(_last, now).TotalSeconds;
            _seconds += span;
            _sum += span * _seats;
            _squares += span * _seats * _seats;
        }

        _last = now;
        _seats = seats;
        High = Math.Max(High, seats);
    }
}
