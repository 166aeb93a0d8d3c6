using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;

namespace Hardway.Storage.Embedded;

/// <summary>
/// The store in one SQLite file (WAL), for clusters of one process and for tests. One process at a time: the file beside it named
/// ".lock" is held. Reads have connections of their own and never wait for the writer.
/// </summary>
public sealed class EmbeddedStore : IStore
{
    private const int WatchPage = 500;
    private readonly string _connectionString;
    private readonly TimeProvider _time;
    private readonly SqliteConnection _writing;
    private readonly CommitQueue _queue;
    private readonly FileStream _lock;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _leases;
    private long _head;
    private long _compacted;
    private volatile TaskCompletionSource _changed = NewSignal();

    private EmbeddedStore(string path, FileStream fileLock, TimeProvider time)
    {
        _lock = fileLock;
        _time = time;
        _connectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 10 }.ToString();
        _writing = new SqliteConnection(_connectionString);
        _writing.Open();
        ChangeLog.Prepare(_writing);
        _head = ChangeLog.Head(_writing);
        _compacted = ChangeLog.Number(_writing, "compacted");
        _queue = new CommitQueue(_writing, _head, Committed);
        _leases = EndLeasesAsync();
    }

    /// <summary>Opens or makes the database; it holds secrets, so it is readable by its owner only.</summary>
    public static EmbeddedStore Open(string path, TimeProvider? time = null)
    {
        SqliteLibrary.Prepare();
        FileStream? fileLock = null;
        try
        {
            var mode = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
            if (!OperatingSystem.IsWindows())
            {
                mode.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            fileLock = new FileStream(path + ".lock", mode);
            using (var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite, UnixCreateMode = mode.UnixCreateMode }))
            {
                // Made here for its mode; SQLite gives the mode to its other files.
            }

            return new EmbeddedStore(path, fileLock, time ?? TimeProvider.System);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            fileLock?.Dispose();
            throw new StoreException(StoreError.Unavailable, $"embedded store {path}: {e.Message}", e);
        }
    }

    public Task<StoreRead> GetAsync(string key, long revision, CancellationToken cancellationToken) =>
        ReadAsync(c => ReadAt(c, key, At(revision)), cancellationToken);

    public Task<StoreList> ListAsync(StoreListRequest request, CancellationToken cancellationToken) =>
        ReadAsync(c => ChangeLog.List(c, request, At(request.Revision)), cancellationToken);

    public Task<StoreWrite> CreateAsync(string key, ReadOnlyMemory<byte> value, long lease, CancellationToken cancellationToken) =>
        UpdateAsync(key, value, 0, lease, cancellationToken);

    public Task<StoreWrite> UpdateAsync(string key, ReadOnlyMemory<byte> value, long expectedModRevision, long lease, CancellationToken cancellationToken) =>
        _queue.RunAsync(w => w.Put(key, value, expectedModRevision, lease), cancellationToken);

    public Task<StoreWrite> DeleteAsync(string key, long expectedModRevision, CancellationToken cancellationToken) =>
        _queue.RunAsync(w => w.Delete(key, expectedModRevision), cancellationToken);

    public Task<long> CurrentRevisionAsync(CancellationToken cancellationToken) => Task.FromResult(Head);

    public async IAsyncEnumerable<StoreWatchBatch> WatchAsync(string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = fromRevision - 1;
        CheckCompacted(fromRevision);
        yield return new StoreWatchBatch([], seen);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        while (true)
        {
            // The signal is taken before the head is read: a change in between is not missed.
            var changed = _changed.Task;
            var head = Head;
            if (head <= seen)
            {
                await WaitAsync(changed, cancellationToken, stopping.Token).ConfigureAwait(false);
                continue;
            }

            CheckCompacted(seen + 1);
            var after = seen;
            var (events, last) = await ReadAsync(c => ChangeLog.Changes(c, prefix, after, head, WatchPage), cancellationToken).ConfigureAwait(false);
            CheckCompacted(seen + 1);
            seen = last;
            if (events.Count > 0)
            {
                yield return new StoreWatchBatch(events, last);
            }
        }
    }

    public async Task CompactAsync(long revision, CancellationToken cancellationToken)
    {
        if (revision > Head)
        {
            throw new StoreException(StoreError.FutureRevision, $"embedded store: cannot compact at {revision}, the revision is {Head}");
        }

        if (revision > Volatile.Read(ref _compacted))
        {
            var compacted = await _queue.RunAsync(w => w.Compact(revision), cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _compacted, compacted);
        }
    }

    public Task<long> GrantLeaseAsync(TimeSpan ttl, CancellationToken cancellationToken)
    {
        var seconds = Math.Max(1, (long)Math.Ceiling(ttl.TotalSeconds));
        return _queue.RunAsync(w => w.GrantLease(seconds, NowMilliseconds + (seconds * 1000)), cancellationToken);
    }

    public Task<bool> KeepLeaseAliveAsync(long lease, CancellationToken cancellationToken) =>
        _queue.RunAsync(w => w.KeepLeaseAlive(lease, NowMilliseconds), cancellationToken);

    public Task RevokeLeaseAsync(long lease, CancellationToken cancellationToken) =>
        _queue.RunAsync(w => w.EndLease(lease), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _leases.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _queue.DisposeAsync().ConfigureAwait(false);
        SqliteConnection.ClearPool(_writing);
        await _writing.DisposeAsync().ConfigureAwait(false);
        await _lock.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private long Head => Volatile.Read(ref _head);

    private long NowMilliseconds => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static async Task WaitAsync(Task changed, CancellationToken caller, CancellationToken both)
    {
        try
        {
            await changed.WaitAsync(both).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!caller.IsCancellationRequested)
        {
            throw new StoreException(StoreError.Unavailable, "embedded store: it was closed", e);
        }
    }

    private void Committed(long head)
    {
        if (head > _head)
        {
            Volatile.Write(ref _head, head);
            Interlocked.Exchange(ref _changed, NewSignal()).SetResult();
        }
    }

    private StoreRead ReadAt(SqliteConnection connection, string key, long revision) =>
        new(ChangeLog.Latest(connection, key, revision), revision);

    private long At(long revision)
    {
        if (revision <= 0)
        {
            return Head;
        }

        CheckCompacted(revision);
        return revision <= Head ? revision : throw new StoreException(StoreError.FutureRevision, $"embedded store: revision {revision} does not exist yet, the last is {Head}");
    }

    private void CheckCompacted(long revision)
    {
        var compacted = Volatile.Read(ref _compacted);
        if (revision > 0 && revision < compacted)
        {
            throw new StoreException(StoreError.Compacted, $"embedded store: history before revision {compacted} has been compacted") { CompactRevision = compacted };
        }
    }

    private Task<T> ReadAsync<T>(Func<SqliteConnection, T> read, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            try
            {
                using var connection = new SqliteConnection(_connectionString);
                connection.Open();
                return read(connection);
            }
            catch (SqliteException e)
            {
                throw new StoreException(StoreError.Unavailable, $"embedded store: {e.Message}", e);
            }
        },
        cancellationToken);

    private async Task EndLeasesAsync()
    {
        await _queue.RunAsync(w => w.RestartLeases(NowMilliseconds), _stop.Token).ConfigureAwait(false);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500), _time);
        while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
        {
            var now = NowMilliseconds;
            try
            {
                if (await ReadAsync(c => ChangeLog.EndedLeases(c, now).Count, _stop.Token).ConfigureAwait(false) > 0)
                {
                    await _queue.RunAsync(w => w.EndLeases(now), _stop.Token).ConfigureAwait(false);
                }
            }
            catch (StoreException)
            {
                // A full disk, say: writers are told; the leases end when it is mended.
            }
        }
    }
}
