namespace Hardway.Storage.Encryption;

/// <summary>How one value is kept at rest. Thread-safe. Throws <see cref="ValueUnreadableException"/> for what it cannot open.</summary>
public interface IValueTransformer
{
    /// <summary>The value as it is to be stored; some ciphers bind it to its key in the store.</summary>
    ReadOnlyMemory<byte> ToStorage(ReadOnlyMemory<byte> plain, string key);

    /// <summary>The value as it was given; stale when it would be stored otherwise now.</summary>
    (ReadOnlyMemory<byte> Plain, bool Stale) FromStorage(ReadOnlyMemory<byte> stored, string key);
}

public sealed class ValueUnreadableException(string message, Exception? inner = null) : Exception(message, inner);
