using System.Text;

namespace Hardway.Api;

/// <summary>
/// A small cache of short strings that recur in every object (True, Running, TCP, kube-system, label keys): decoding shares
/// them instead of allocating. Racing writers only cost a missed share.
/// </summary>
internal static class CommonStrings
{
    private const int Size = 4096;
    private static readonly string?[] s_cache = new string?[Size];

    public static string Get(ReadOnlySpan<byte> utf8)
    {
        var hash = 2166136261u;
        foreach (var b in utf8)
        {
            hash = (hash ^ b) * 16777619u;
        }

        ref var slot = ref s_cache[(hash ^ (hash >> 12)) & (Size - 1)];
        var cached = slot;
        if (cached is not null && cached.Length == utf8.Length && IsSame(cached, utf8))
        {
            return cached;
        }

        return slot = Encoding.UTF8.GetString(utf8);
    }

    private static bool IsSame(string text, ReadOnlySpan<byte> utf8)
    {
        for (var i = 0; i < utf8.Length; i++)
        {
            if (text[i] != utf8[i] || utf8[i] >= 0x80)
            {
                return false;
            }
        }

        return true;
    }
}
