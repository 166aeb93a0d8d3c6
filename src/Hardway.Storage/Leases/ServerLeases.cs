using System.Net;
using System.Text;

namespace Hardway.Storage.Leases;

/// <summary>
/// Which API servers are alive: each has /registry/masterleases/ADDRESS under a lease of 15 s, which its owner renews every 10 s; a dead
/// server's key goes by itself. The value is an Endpoints object with the address, as upstream writes it. One caller at a time.
/// </summary>
public sealed class ServerLeases(IStore store, IPAddress address)
{
    public const string Prefix = "/registry/masterleases/";
    public static readonly TimeSpan Ttl = TimeSpan.FromSeconds(15);
    public static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(10);
    private long _lease;

    private string Key => Prefix + address;

    /// <summary>Says that this server lives. Renewing a lease writes nothing; the key is written when it is not there (any more).</summary>
    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        var there = (await store.GetAsync(Key, 0, cancellationToken).ConfigureAwait(false)).Entry;
        if (_lease != 0 && there?.Lease == _lease && await store.KeepLeaseAliveAsync(_lease, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        var lease = await store.GrantLeaseAsync(Ttl, cancellationToken).ConfigureAwait(false);
        var written = await store.UpdateAsync(Key, Value(), there?.ModRevision ?? 0, lease, cancellationToken).ConfigureAwait(false);
        if (!written.Succeeded)
        {
            await store.RevokeLeaseAsync(lease, cancellationToken).ConfigureAwait(false);
            throw new StoreException(StoreError.Refused, $"{Key} is written by another process too: two API servers advertise the address {address}");
        }

        _lease = lease;
    }

    /// <summary>The addresses of all living servers, in order.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken cancellationToken)
    {
        var list = await store.ListAsync(new StoreListRequest(Prefix) { KeysOnly = true }, cancellationToken).ConfigureAwait(false);
        return [.. list.Entries.Select(e => e.Key[Prefix.Length..])];
    }

    /// <summary>A clean stop: the address goes at once.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        await store.DeleteAsync(Key, 0, cancellationToken).ConfigureAwait(false);
        if (_lease != 0)
        {
            await store.RevokeLeaseAsync(_lease, cancellationToken).ConfigureAwait(false);
            _lease = 0;
        }
    }

    // An address has no characters that JSON would escape.
    private byte[] Value() => Encoding.UTF8.GetBytes(
        $$"""{"kind":"Endpoints","apiVersion":"v1","metadata":{},"subsets":[{"addresses":[{"ip":"{{address}}"}]}]}""");
}
