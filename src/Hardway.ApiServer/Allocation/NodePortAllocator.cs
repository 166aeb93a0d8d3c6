using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.Storage;

namespace Hardway.ApiServer.Allocation;

/// <summary>
/// Gives out node ports: one bitmap in the store (/registry/ranges/servicenodeports), changed by transactions on its revision, so several
/// servers may do it at once. Where it is missing or unreadable it is made from the Services that are there.
/// </summary>
internal sealed class NodePortAllocator(int from, int to, IStore store, IResourceReader reader)
{
    private const string Key = StorageLayout.Root + "ranges/servicenodeports";
    private const int Tries = 50;

    private int Size => to - from + 1;

    private int Reserved => Math.Min(Math.Max(16, Size / 32), 128) is var band && band >= Size ? 0 : band;

    public bool Contains(int port) => port >= from && port <= to;

    public async ValueTask<int> TakeAsync(CancellationToken cancellationToken)
    {
        var taken = 0;
        await ChangeAsync(bits =>
        {
            taken = FindFree(bits);
            return taken > 0 && Set(bits, taken, true);
        }, cancellationToken).ConfigureAwait(false);
        return taken > 0 ? taken : throw Statuses.Internal("failed to allocate a nodePort: range is full");
    }

    /// <summary>Takes this port; false when it is taken.</summary>
    public async ValueTask<bool> TryAsync(int port, CancellationToken cancellationToken)
    {
        var mine = false;
        await ChangeAsync(bits => mine = Set(bits, port, true), cancellationToken).ConfigureAwait(false);
        return mine;
    }

    public ValueTask GiveBackAsync(IReadOnlyCollection<int> ports, CancellationToken cancellationToken) => ports.Count == 0
        ? ValueTask.CompletedTask
        : ChangeAsync(bits => ports.Where(Contains).Aggregate(false, (changed, port) => Set(bits, port, false) | changed), cancellationToken);

    private async ValueTask ChangeAsync(Func<byte[], bool> change, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            var entry = (await store.GetAsync(Key, 0, cancellationToken).ConfigureAwait(false)).Entry;
            var bits = (entry is null ? null : Decode(entry)) ?? FromServices();
            if (!change(bits))
            {
                return;
            }

            if ((await store.UpdateAsync(Key, Encode(bits), entry?.ModRevision ?? 0, 0, cancellationToken).ConfigureAwait(false)).Succeeded)
            {
                return;
            }
        }

        throw Statuses.ServerTimeout("", "services", "allocate");
    }

    private int FindFree(byte[] bits)
    {
        var dynamic = Size - Reserved;
        var start = RandomNumberGenerator.GetInt32(dynamic);
        for (var i = 0; i < Size; i++)
        {
            var offset = i < dynamic ? Reserved + ((start + i) % dynamic) : i - dynamic;
            if (!IsSet(bits, offset))
            {
                return from + offset;
            }
        }

        return 0;
    }

    private bool Set(byte[] bits, int port, bool value)
    {
        var offset = port - from;
        if (IsSet(bits, offset) == value)
        {
            return false;
        }

        bits[offset / 8] ^= (byte)(1 << (offset % 8));
        return true;
    }

    private static bool IsSet(byte[] bits, int offset) => (bits[offset / 8] & (1 << (offset % 8))) != 0;

    private byte[] FromServices()
    {
        var bits = new byte[(Size + 7) / 8];
        foreach (var port in reader.List<Service>().SelectMany(ServiceAllocator.NodePorts).Where(Contains))
        {
            Set(bits, port, true);
        }

        return bits;
    }

    /// <summary>Null when it is another range's or no JSON.</summary>
    private byte[]? Decode(StoreEntry entry)
    {
        try
        {
            if (ApiJson.DeserializeTree(entry.Value.Span) is not Dictionary<string, object?> tree || tree.GetValueOrDefault("range") as string != RangeText || tree.GetValueOrDefault("data") is not string data)
            {
                return null;
            }

            // The number's bytes, highest first, as Go writes a big integer; leading zeros are left out.
            var number = Convert.FromBase64String(data);
            var bits = new byte[(Size + 7) / 8];
            for (var i = 0; i < Math.Min(number.Length, bits.Length); i++)
            {
                bits[i] = number[^(i + 1)];
            }

            return bits;
        }
        catch (Exception e) when (e is ApiDecodeException or FormatException)
        {
            return null;
        }
    }

    private string RangeText => string.Create(CultureInfo.InvariantCulture, $"{from}-{to}");

    private byte[] Encode(byte[] bits)
    {
        var length = bits.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        var number = bits[..length];
        Array.Reverse(number);
        return Encoding.UTF8.GetBytes($"{{\"kind\":\"RangeAllocation\",\"apiVersion\":\"v1\",\"metadata\":{{}},\"range\":\"{RangeText}\",\"data\":\"{Convert.ToBase64String(number)}\"}}");
    }
}
