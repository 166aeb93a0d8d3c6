using Hardway.Api;

namespace Hardway.Kubelet.Eviction;

/// <summary>An amount, or a share of the whole.</summary>
internal readonly record struct ThresholdValue(Quantity Amount, double? Percent)
{
    public Quantity Of(Quantity capacity) => Percent is { } percent ? Quantity.FromValue((long)(capacity.Value * (percent / 100))) : Amount;

    public static bool TryParse(string text, out ThresholdValue value)
    {
        value = default;
        if (text.EndsWith('%'))
        {
            if (!double.TryParse(text[..^1], System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var percent) || percent is < 0 or > 100)
                return false;
            value = new ThresholdValue(Quantity.Zero, percent);
            return true;
        }
        if (!Quantity.TryParse(text, out var amount) || amount.Sign < 0)
            return false;
        value = new ThresholdValue(amount, null);
        return true;
    }
}

/// <summary>When less than <paramref name="Value"/> is left for longer than <paramref name="Grace"/> (zero: a hard threshold), Pods are evicted until <paramref name="MinReclaim"/> more is free.</summary>
internal sealed record EvictionThreshold(EvictionSignal Signal, ThresholdValue Value, TimeSpan Grace, ThresholdValue? MinReclaim)
{
    public bool IsHard => Grace == TimeSpan.Zero;
}
