namespace Hardway.Storage.Encryption;

/// <summary>
/// How one value is kept at rest. Thread-safe. Throws <see cref="ValueUnreadableException"/> for what it cannot open. One that has to ask a
/// server does so in the Prepare calls, which come before the others.
/// </summary>
public interface IValueTransformer
{
    /// <summary>Is the stored value of this one's making?</summary>
    bool Reads(ReadOnlySpan<byte> stored);

    /// <summary>The value as it is to be stored; some ciphers bind it to its key in the store.</summary>
    ReadOnlyMemory<byte> ToStorage(ReadOnlyMemory<byte> plain, string key);

    /// <summary>The value as it was given; stale when it would be stored otherwise now.</summary>
    (ReadOnlyMemory<byte> Plain, bool Stale) FromStorage(ReadOnlyMemory<byte> stored, string key);

    /// <exception cref="StoreException">Unavailable: nothing can be written now.</exception>
    ValueTask PrepareWriteAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <exception cref="StoreException">Unavailable: it cannot be opened now.</exception>
    ValueTask PrepareReadAsync(ReadOnlyMemory<byte> stored, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>What is wrong, or null.</summary>
    ValueTask<string?> HealthAsync(CancellationToken cancellationToken) => ValueTask.FromResult<string?>(null);
}

public sealed class ValueUnreadableException(string message, Exception? inner = null) : Exception(message, inner);
