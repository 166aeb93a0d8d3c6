namespace Hardway.ApiServer.FlowControl;

/// <summary>
/// Every ten seconds, seats that levels do not want go to those that want more: each gets what it wants between its bounds, all cut by the
/// same proportion so that the sum is the server's.
/// </summary>
internal sealed class SeatBorrowing(int seats)
{
    /// <summary>How slowly a level's wish falls: half of it in five minutes.</summary>
    private const double Smoothing = 0.977;
    private readonly Dictionary<string, double> _smooth = new(StringComparer.Ordinal);

    public void Adjust(IReadOnlyCollection<PriorityLevel> levels)
    {
        var wishes = levels.Where(l => !l.IsExempt).Select(Wish).ToList();
        foreach (var (level, limit) in wishes.Zip(Allot(wishes, seats)))
        {
            level.Level.SetLimit(limit);
        }
    }

    /// <summary>Seats of each by the proportion at which all are given out; found by halving.</summary>
    public static IReadOnlyList<int> Allot(IReadOnlyList<SeatWish> wishes, int seats)
    {
        int Sum(double proportion) => wishes.Sum(w => w.At(proportion));
        var (low, high) = (0.0, 1.0);
        while (Sum(high) < seats && high < 1e6)
        {
            high *= 2;
        }

        for (var i = 0; i < 40; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = Sum(middle) <= seats ? (middle, high) : (low, middle);
        }

        return [.. wishes.Select(w => w.At(low))];
    }

    private SeatWish Wish(PriorityLevel level)
    {
        var demand = level.TakeDemand();
        var envelope = demand.Average + demand.Deviation;
        var smooth = Math.Max(envelope, (Smoothing * _smooth.GetValueOrDefault(level.Name)) + ((1 - Smoothing) * envelope));
        _smooth[level.Name] = smooth;
        var shares = level.Shares;
        // A level that has seats of its own never lends the last: who came there would wait for the next adjustment.
        var least = Math.Max(Math.Max(shares.Least, Math.Min(1, shares.Nominal)), Math.Min(shares.Nominal, demand.High));
        return new SeatWish(level, least, Math.Max(shares.Least, smooth), shares.Most);
    }
}

/// <summary>What a level wants: at least so much, about so much, never more than so much.</summary>
internal readonly record struct SeatWish(PriorityLevel Level, double Least, double Wanted, double Most)
{
    public int At(double proportion) => (int)Math.Round(Math.Min(Most, Math.Max(Least, proportion * Wanted)));
}
