using System.Security.Cryptography;
using Hardway.Api.Networking.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Allocation;

/// <summary>
/// Gives out Service addresses of one range. Every address in use is an IPAddress object; that the store takes a name once is what keeps
/// several servers from giving out one twice. The first addresses are left for those who ask for a certain one.
/// </summary>
internal sealed class AddressAllocator(System.Net.IPNetwork range, IResourceReader reader, Func<IResourceWriter> writer)
{
    private const int Tries = 64;

    /// <summary>Usable addresses: all but the network's own and, of IPv4, the broadcast address.</summary>
    private readonly long _size = Math.Max(0, Math.Min(1L << Math.Min(range.BaseAddress.GetAddressBytes().Length * 8 - range.PrefixLength, 40), 1L << 20) - 2);

    public System.Net.IPAddress First => At(1);

    public string Family => range.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4";

    /// <summary>An address that is never given out.</summary>
    public string Example => range.BaseAddress.ToString();

    private long Reserved => Math.Min(Math.Max(16, _size / 16), 256) is var band && band >= _size ? 0 : band;

    public bool Contains(System.Net.IPAddress address) => range.Contains(address) && !address.Equals(range.BaseAddress);

    /// <summary>Takes any free address, above the reserved ones while there are some; null where the range is full.</summary>
    public async ValueTask<string?> TakeAsync(string @namespace, string service, CancellationToken cancellationToken)
    {
        var (from, count) = (Reserved + 1, _size - Reserved);
        var start = RandomNumberGenerator.GetInt32((int)Math.Max(1, count));
        for (long i = 0, tried = 0; i < _size && tried < Tries; i++)
        {
            // The dynamic band first, from a random place on; then the reserved band.
            var offset = i < count ? from + ((start + i) % count) : i - count + 1;
            var address = At(offset).ToString();
            if (reader.Get<Hardway.Api.Networking.V1.IPAddress>("", address) is not null)
            {
                continue;
            }

            tried++;
            if (await TryAsync(address, @namespace, service, cancellationToken).ConfigureAwait(false))
            {
                return address;
            }
        }

        return null;
    }

    /// <summary>Takes this address; false when another Service has it.</summary>
    public async ValueTask<bool> TryAsync(string address, string @namespace, string service, CancellationToken cancellationToken)
    {
        var wanted = new Hardway.Api.Networking.V1.IPAddress
        {
            Metadata =
            {
                Name = address,
                Labels = new(StringComparer.Ordinal) { ["ipaddress.kubernetes.io/ip-family"] = address.Contains(':') ? "IPv6" : "IPv4", ["ipaddress.kubernetes.io/managed-by"] = "ipallocator.k8s.io" },
            },
            Spec = { ParentRef = new ParentReference { Resource = "services", Namespace = @namespace, Name = service } },
        };
        try
        {
            await writer().CreateAsync(wanted, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            var owner = (await reader.GetFreshAsync<Hardway.Api.Networking.V1.IPAddress>("", address, cancellationToken).ConfigureAwait(false))?.Spec.ParentRef;
            return owner is not null && owner.Resource == "services" && owner.Namespace == @namespace && owner.Name == service;
        }
    }

    /// <summary>The object of an address has the address's one form for its name, however the Service wrote it.</summary>
    public Task GiveBackAsync(string address, CancellationToken cancellationToken) =>
        writer().DeleteAsync<Hardway.Api.Networking.V1.IPAddress>("", System.Net.IPAddress.TryParse(address, out var parsed) ? parsed.ToString() : address, cancellationToken);

    private System.Net.IPAddress At(long offset)
    {
        var bytes = range.BaseAddress.GetAddressBytes();
        for (var i = bytes.Length - 1; i >= 0 && offset > 0; i--)
        {
            offset += bytes[i];
            bytes[i] = (byte)offset;
            offset >>= 8;
        }

        return new System.Net.IPAddress(bytes);
    }
}
