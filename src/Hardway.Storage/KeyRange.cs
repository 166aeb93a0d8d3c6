using System.Text;

namespace Hardway.Storage;

/// <summary>Keys as bytes, and the end of a prefix: the first key that does not begin with it.</summary>
internal static class KeyRange
{
    private static readonly byte[] s_toTheEnd = [0];

    public static byte[] Bytes(string key) => Encoding.UTF8.GetBytes(key);

    /// <summary>etcd's way: "\0" as an end means "all that follow".</summary>
    public static byte[] PrefixEnd(string prefix)
    {
        var end = Bytes(prefix);
        for (var i = end.Length - 1; i >= 0; i--)
        {
            if (end[i] < 0xff)
            {
                end[i]++;
                return end[..(i + 1)];
            }
        }

        return s_toTheEnd;
    }

    /// <summary>etcd has no empty key: the first of all keys is "\0".</summary>
    public static byte[] Start(string key) => key.Length == 0 ? s_toTheEnd : Bytes(key);
}
