using System.Security.Cryptography;
using System.Text;

namespace Hardway.Storage.Encryption;

/// <summary>The keys of one provider: values are k8s:enc:PROVIDER:v1:KEYNAME: and the cipher's bytes. The first key writes.</summary>
internal sealed class ProviderTransformer : IValueTransformer
{
    private readonly byte[] _prefix;
    private readonly (byte[] Prefix, ICipher Cipher)[] _keys;

    public ProviderTransformer(string provider, IEnumerable<(string Name, ICipher Cipher)> keys)
    {
        _prefix = Encoding.UTF8.GetBytes($"k8s:enc:{provider}:v1:");
        _keys = [.. keys.Select(k => (Encoding.UTF8.GetBytes($"k8s:enc:{provider}:v1:{k.Name}:"), k.Cipher))];
    }

    public bool Reads(ReadOnlySpan<byte> stored) => stored.StartsWith(_prefix);

    public ReadOnlyMemory<byte> ToStorage(ReadOnlyMemory<byte> plain, string key)
    {
        var (prefix, cipher) = _keys[0];
        return (byte[])[.. prefix, .. cipher.Seal(plain.Span, key)];
    }

    public (ReadOnlyMemory<byte> Plain, bool Stale) FromStorage(ReadOnlyMemory<byte> stored, string key)
    {
        for (var i = 0; i < _keys.Length; i++)
        {
            var (prefix, cipher) = _keys[i];
            if (stored.Span.StartsWith(prefix))
            {
                try
                {
                    return (cipher.Open(stored.Span[prefix.Length..], key), i > 0);
                }
                catch (CryptographicException e)
                {
                    throw new ValueUnreadableException($"{key}: the key {Encoding.UTF8.GetString(prefix)} of the encryption configuration does not open the stored value ({e.Message})", e);
                }
            }
        }

        throw new ValueUnreadableException($"{key}: the stored value was encrypted by a key that is not in the encryption configuration");
    }
}

/// <summary>A resource's providers in order: the first writes, each reads what has its prefix, and plain text is read where identity is listed.</summary>
internal sealed class OrderedTransformer(IReadOnlyList<IValueTransformer> providers) : IValueTransformer, IDisposable
{
    public bool Reads(ReadOnlySpan<byte> stored) => Find(stored) >= 0;

    public ReadOnlyMemory<byte> ToStorage(ReadOnlyMemory<byte> plain, string key) => providers[0].ToStorage(plain, key);

    public ValueTask PrepareWriteAsync(CancellationToken cancellationToken) => providers[0].PrepareWriteAsync(cancellationToken);

    public ValueTask PrepareReadAsync(ReadOnlyMemory<byte> stored, CancellationToken cancellationToken) =>
        Find(stored.Span) is var i and >= 0 ? providers[i].PrepareReadAsync(stored, cancellationToken) : ValueTask.CompletedTask;

    public async ValueTask<string?> HealthAsync(CancellationToken cancellationToken)
    {
        foreach (var provider in providers)
        {
            if (await provider.HealthAsync(cancellationToken).ConfigureAwait(false) is { } wrong)
            {
                return wrong;
            }
        }

        return null;
    }

    public void Dispose()
    {
        foreach (var provider in providers)
        {
            (provider as IDisposable)?.Dispose();
        }
    }

    public (ReadOnlyMemory<byte> Plain, bool Stale) FromStorage(ReadOnlyMemory<byte> stored, string key)
    {
        var i = Find(stored.Span);
        if (i < 0)
        {
            throw new ValueUnreadableException($"{key}: no provider of the encryption configuration reads the stored value");
        }

        var (plain, stale) = providers[i].FromStorage(stored, key);
        return (plain, stale || i > 0);
    }

    private int Find(ReadOnlySpan<byte> stored)
    {
        for (var i = 0; i < providers.Count; i++)
        {
            if (providers[i].Reads(stored))
            {
                return i;
            }
        }

        return -1;
    }
}
