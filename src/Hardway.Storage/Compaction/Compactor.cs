using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Hardway.Storage.Compaction;

/// <summary>
/// Compacts the store's history to what is younger than one interval (5 minutes), once for all API servers, upstream's among them:
/// whoever writes compact_rev_key first in an interval compacts, the others note that it was done.
/// <code>
///   every interval:  put compact_rev_key if it is as I last saw it
///        done      → compact at the revision that I saw an interval ago; remember this one
///        not done  → somebody else did; remember what he wrote and this revision
/// </code>
/// </summary>
public sealed partial class Compactor(IStore store, TimeSpan interval, TimeProvider time, ILogger logger)
{
    private const string Key = "compact_rev_key";
    private readonly ILogger _logger = logger;
    private long _seen;
    private long _revision;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                await TryOnceAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    /// <summary>One interval's work; true when this process compacted.</summary>
    internal async Task<bool> OnceAsync(CancellationToken cancellationToken)
    {
        var at = _revision;
        var written = await store.UpdateAsync(Key, Encoding.ASCII.GetBytes(at.ToString(CultureInfo.InvariantCulture)), _seen, 0, cancellationToken).ConfigureAwait(false);
        _revision = written.Revision;
        _seen = written.Succeeded ? written.Revision : written.Current?.ModRevision ?? 0;
        if (!written.Succeeded || at == 0)
        {
            return false;
        }

        await store.CompactAsync(at, cancellationToken).ConfigureAwait(false);
        LogCompacted(at);
        return true;
    }

    private async Task TryOnceAsync(CancellationToken cancellationToken)
    {
        try
        {
            await OnceAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            LogFailed(e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "History before revision {Revision} compacted")]
    private partial void LogCompacted(long revision);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Compaction did not happen, next try in one interval: {Reason}")]
    private partial void LogFailed(string reason);
}
