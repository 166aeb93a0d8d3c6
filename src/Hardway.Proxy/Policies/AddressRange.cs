using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Hardway.Proxy.Policies;

/// <summary>Addresses of one family from the first to the last, both counted; as numbers, so that they can be cut and joined.</summary>
internal readonly record struct AddressRange(bool IsV6, UInt128 First, UInt128 Last)
{
    public static AddressRange Of(IPNetwork network)
    {
        var v6 = network.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6;
        var first = Number(network.BaseAddress);
        var bits = (v6 ? 128 : 32) - network.PrefixLength;
        return new(v6, first, first + (bits == 128 ? UInt128.MaxValue : (UInt128.One << bits) - 1));
    }

    /// <summary>Every address of the family?</summary>
    public bool IsEverything => First == 0 && Last == (IsV6 ? UInt128.MaxValue : uint.MaxValue);

    /// <summary>What of the first ranges is in none of the others, in order, touching ones joined. All of one family.</summary>
    public static List<AddressRange> Subtract(AddressRange from, IEnumerable<AddressRange> others)
    {
        var left = new List<AddressRange>();
        var rest = (AddressRange?)from;
        foreach (var other in Join(others))
        {
            if (rest is not { } range || other.First > range.Last)
            {
                break;
            }

            if (other.Last < range.First)
            {
                continue;
            }

            if (other.First > range.First)
            {
                left.Add(range with { Last = other.First - 1 });
            }

            rest = other.Last < range.Last ? range with { First = other.Last + 1 } : null;
        }

        if (rest is { } end)
        {
            left.Add(end);
        }

        return left;
    }

    /// <summary>The same addresses as ranges in order that neither overlap nor touch (nft refuses overlapping ones in a set).</summary>
    public static List<AddressRange> Join(IEnumerable<AddressRange> ranges)
    {
        var joined = new List<AddressRange>();
        foreach (var range in ranges.OrderBy(r => r.First).ThenBy(r => r.Last))
        {
            if (joined.Count > 0 && (joined[^1].Last == UInt128.MaxValue || range.First <= joined[^1].Last + 1))
            {
                joined[^1] = joined[^1] with { Last = UInt128.Max(joined[^1].Last, range.Last) };
            }
            else
            {
                joined.Add(range);
            }
        }

        return joined;
    }

    /// <summary>As nft writes it: "10.0.0.0-10.0.0.255", or one address.</summary>
    public override string ToString() => First == Last ? Text(First) : $"{Text(First)}-{Text(Last)}";

    private static UInt128 Number(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        return bytes.Length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private string Text(UInt128 number)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new IPAddress(IsV6 ? bytes : bytes[12..]).ToString();
    }
}
