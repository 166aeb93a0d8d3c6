using System.Net;

namespace Hardway.ControllerManager;

/// <summary>The ranges of one size in a larger one, each taken or free: a bit each, the next search begins where the last ended. For one thread.</summary>
internal sealed class CidrSet
{
    private const int MostBits = 20;
    private readonly IPNetwork _all;
    private readonly int _size;
    private readonly int _bits;
    private readonly ulong[] _taken;
    private readonly int _count;
    private int _next;

    /// <exception cref="ArgumentException">The size does not fit the range.</exception>
    public CidrSet(IPNetwork all, int size)
    {
        _bits = all.BaseAddress.GetAddressBytes().Length * 8;
        if (size < all.PrefixLength || size > _bits) throw new ArgumentException($"a range of /{size} does not fit into {all}");
        (_all, _size) = (all, size);
        // A huge IPv6 range: the first million is more than there are nodes.
        _count = 1 << Math.Min(size - all.PrefixLength, MostBits);
        _taken = new ulong[(_count + 63) / 64];
    }

    public bool IsV6 => _bits == 128;

    /// <summary>Takes everything that overlaps the range. One of another family or place is passed over.</summary>
    public void Occupy(IPNetwork range)
    {
        if (range.BaseAddress.AddressFamily != _all.BaseAddress.AddressFamily) return;
        if (range.Contains(_all.BaseAddress) && range.PrefixLength <= _all.PrefixLength)
        {
            Array.Fill(_taken, ulong.MaxValue);
            return;
        }
        if (!_all.Contains(range.BaseAddress)) return;
        var first = IndexOf(range.BaseAddress);
        var many = range.PrefixLength >= _size ? UInt128.One : UInt128.One << (_size - range.PrefixLength);
        for (var i = first; i < (UInt128)_count && i < first + many; i++) Set((int)i, true);
    }

    public void Release(IPNetwork range)
    {
        if (range.BaseAddress.AddressFamily == _all.BaseAddress.AddressFamily && range.PrefixLength == _size && _all.Contains(range.BaseAddress) && IndexOf(range.BaseAddress) is var index && index < (UInt128)_count) Set((int)index, false);
    }

    /// <summary>Takes the next free one; null: there is none.</summary>
    public IPNetwork? Take()
    {
        for (var tried = 0; tried < _count; tried++)
        {
            var index = (_next + tried) % _count;
            if ((_taken[index / 64] & (1UL << (index % 64))) != 0) continue;
            Set(index, true);
            _next = (index + 1) % _count;
            return new IPNetwork(AddressOf(index), _size);
        }
        return null;
    }

    private void Set(int index, bool taken)
    {
        if (taken) _taken[index / 64] |= 1UL << (index % 64);
        else _taken[index / 64] &= ~(1UL << (index % 64));
    }

    private UInt128 IndexOf(IPAddress address) => (Number(address) - Number(_all.BaseAddress)) >> (_bits - _size);

    private IPAddress AddressOf(int index)
    {
        var number = Number(_all.BaseAddress) + ((UInt128)index << (_bits - _size));
        var bytes = new byte[_bits / 8];
        for (var i = bytes.Length - 1; i >= 0; i--, number >>= 8) bytes[i] = (byte)(number & 0xff);
        return new IPAddress(bytes);
    }

    private static UInt128 Number(IPAddress address)
    {
        UInt128 number = 0;
        foreach (var b in address.GetAddressBytes()) number = (number << 8) | b;
        return number;
    }
}
