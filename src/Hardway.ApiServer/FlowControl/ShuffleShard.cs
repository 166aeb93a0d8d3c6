namespace Hardway.ApiServer.FlowControl;

/// <summary>
/// Shuffle sharding: a flow's hash deals it a small hand of a level's queues, so that two flows rarely share all of theirs and a
/// flow that floods its queues leaves most others a free one.
/// </summary>
internal static class ShuffleShard
{
    public const int LargestHand = 64;

    public static ulong Hash(string schema, string distinguisher)
    {
        // FNV-1a, then stirred: the dealer takes the low digits first.
        var hash = 14695981039346656037UL;
        foreach (var c in schema)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        hash = (hash ^ 0xFFFF) * 1099511628211UL;
        foreach (var c in distinguisher)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        hash ^= hash >> 33;
        hash *= 0xff51afd7ed558ccdUL;
        return hash ^ (hash >> 33);
    }

    /// <summary>Different queues, as many as <paramref name="hand"/> takes.</summary>
    public static void Deal(ulong hash, int queues, Span<int> hand)
    {
        for (var i = 0; i < hand.Length; i++)
        {
            var left = (ulong)(queues - i);
            var card = (int)(hash % left);
            hash /= left;
            // The card's place among the queues that have not been dealt yet; those dealt are kept in order.
            var at = 0;
            while (at < i && hand[at] <= card)
            {
                card++;
                at++;
            }

            hand[at..i].CopyTo(hand[(at + 1)..]);
            hand[at] = card;
        }
    }

    /// <summary>How many bits of a hash a hand uses up.</summary>
    public static int Bits(int queues, int hand)
    {
        var bits = 0.0;
        for (var i = 0; i < hand && bits <= 64; i++)
        {
            bits += Math.Log2(queues - i);
        }

        return (int)Math.Ceiling(bits);
    }
}
