namespace Hardway.Storage;

public enum StoreError
{
    /// <summary>No answer in time, or no quorum. Nothing was changed.</summary>
    Unavailable,

    /// <summary>A write was sent and its answer never came: it may or may not have happened. Read before trying again.</summary>
    OutcomeUnknown,

    /// <summary>The revision asked for has been compacted.</summary>
    Compacted,

    /// <summary>The revision asked for does not exist yet.</summary>
    FutureRevision,

    LeaseNotFound,

    /// <summary>The value is larger than the store takes.</summary>
    TooLarge,

    /// <summary>The store's space is used up; reads still work.</summary>
    NoSpace,

    /// <summary>The store refuses us, or answered what it should not.</summary>
    Refused,
}

/// <summary>What a store could not do. One line that says what, where and, where known, how to mend.</summary>
public sealed class StoreException(StoreError error, string message, Exception? inner = null) : Exception(message, inner)
{
    public StoreError Error { get; } = error;

    /// <summary>For Compacted: the oldest revision that can still be asked for, when the store told; else 0.</summary>
    public long CompactRevision { get; init; }
}
