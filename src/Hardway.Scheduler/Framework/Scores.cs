namespace Hardway.Scheduler.Framework;

internal static class Scores
{
    public const long Max = 100;

    /// <summary>Scales so that the largest becomes 100; reversed, the largest becomes 0.</summary>
    public static void Normalize(Span<long> scores, bool reverse)
    {
        long max = 0;
        foreach (var score in scores)
        {
            max = Math.Max(max, score);
        }

        for (var i = 0; i < scores.Length; i++)
        {
            var scaled = max == 0 ? 0 : Max * scores[i] / max;
            scores[i] = reverse ? Max - scaled : scaled;
        }
    }
}
