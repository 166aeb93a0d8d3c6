namespace Hardway.Storage.Encryption;

/// <summary>Plain text; refuses what is evidently encrypted, so that ciphertext is never taken for an object.</summary>
internal sealed class IdentityTransformer : IValueTransformer
{
    public static readonly IdentityTransformer Instance = new();

    public bool Reads(ReadOnlySpan<byte> stored) => !stored.StartsWith("k8s:enc:"u8);

    public ReadOnlyMemory<byte> ToStorage(ReadOnlyMemory<byte> plain, string key) => plain;

    public (ReadOnlyMemory<byte> Plain, bool Stale) FromStorage(ReadOnlyMemory<byte> stored, string key) =>
        !Reads(stored.Span)
            ? throw new ValueUnreadableException($"{key}: the stored value is encrypted and no provider of the encryption configuration reads its prefix")
            : (stored, false);
}
