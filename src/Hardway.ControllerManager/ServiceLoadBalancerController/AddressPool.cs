using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Hardway.ControllerManager;

/// <summary>The addresses that LoadBalancer Services may get: "10.240.0.200-10.240.0.239, 10.240.1.0/28, fd00::10", in any order. Immutable.</summary>
internal sealed class AddressPool
{
    private readonly List<(AddressFamily Family, UInt128 First, UInt128 Last)> _ranges = [];

    private AddressPool() { }

    public static AddressPool Empty { get; } = new();

    public bool IsEmpty => _ranges.Count == 0;

    /// <summary>Reads ranges, networks and single addresses apart by commas or white space. What is none of these is left out and told.</summary>
    public static AddressPool Parse(string text, out IReadOnlyList<string> wrong)
    {
        var pool = new AddressPool();
        var bad = new List<string>();
        foreach (var word in text.Split([',', ' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (Range(word) is { } range) pool._ranges.Add(range);
            else bad.Add(word);
        }
        wrong = bad;
        return pool;
    }

    public bool Has(AddressFamily family) => _ranges.Exists(r => r.Family == family);

    public bool Contains(IPAddress address) => _ranges.Exists(r => r.Family == address.AddressFamily && r.First <= Number(address) && Number(address) <= r.Last);

    /// <summary>The first address of the family that nobody has, or null.</summary>
    public IPAddress? Free(AddressFamily family, IReadOnlySet<IPAddress> taken)
    {
        foreach (var (_, first, last) in _ranges.Where(r => r.Family == family))
        {
            // At most one address more is looked at than there are taken ones.
            for (var number = first; ; number++)
            {
                var address = Address(number, family);
                if (!taken.Contains(address)) return address;
                if (number == last) break;
            }
        }
        return null;
    }

    private static (AddressFamily, UInt128, UInt128)? Range(string word)
    {
        if (IPNetwork.TryParse(word, out var network))
        {
            var bits = (network.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32) - network.PrefixLength;
            var first = Number(network.BaseAddress);
            return (network.BaseAddress.AddressFamily, first, first + (bits == 128 ? UInt128.MaxValue : (UInt128.One << bits) - 1));
        }
        var ends = word.Split('-', 2);
        if (!IPAddress.TryParse(ends[0], out var from) || !IPAddress.TryParse(ends[^1], out var to)) return null;
        return from.AddressFamily == to.AddressFamily && Number(from) <= Number(to) ? (from.AddressFamily, Number(from), Number(to)) : null;
    }

    private static UInt128 Number(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        return bytes.Length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private static IPAddress Address(UInt128 number, AddressFamily family)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new IPAddress(family == AddressFamily.InterNetwork ? bytes[12..] : bytes);
    }
}
