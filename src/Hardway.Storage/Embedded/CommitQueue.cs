using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace Hardway.Storage.Embedded;

/// <summary>
/// The one writer of the database. What waits is committed together (one disk sync for many writes); nobody is answered before his
/// change is on disk. A failed commit fails all of its writes, none of which happened.
/// </summary>
internal sealed class CommitQueue : IAsyncDisposable
{
    private const int MaxBatch = 256;
    private readonly Channel<Work> _work = Channel.CreateBounded<Work>(new BoundedChannelOptions(1024) { SingleReader = true });
    private readonly SqliteConnection _connection;
    private readonly Action<long> _committed;
    private readonly Task _running;
    private long _head;

    public CommitQueue(SqliteConnection connection, long head, Action<long> committed)
    {
        _connection = connection;
        _head = head;
        _committed = committed;
        _running = Task.Run(RunAsync);
    }

    /// <summary>Runs the change in the next commit; it may take revisions from the writer.</summary>
    public async Task<T> RunAsync<T>(Func<ChangeWriter, T> change, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        T? result = default;
        StoreException? refused = null;
        var work = new Work(
            w =>
            {
                try
                {
                    result = change(w);
                }
                catch (StoreException e)
                {
                    // Refused before it wrote anything; the others of the batch go on.
                    refused = e;
                }
            },
            () => _ = refused is null ? done.TrySetResult(result!) : done.TrySetException(refused),
            e => done.TrySetException(e));
        await _work.Writer.WriteAsync(work, cancellationToken).ConfigureAwait(false);

        // From here on it will be done, whether the caller waits or not.
        return await done.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _work.Writer.TryComplete();
        await _running.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        var batch = new List<Work>(MaxBatch);
        while (await _work.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (batch.Count < MaxBatch && _work.Reader.TryRead(out var work))
            {
                batch.Add(work);
            }

            Commit(batch);
            batch.Clear();
        }
    }

    private void Commit(List<Work> batch)
    {
        try
        {
            using var transaction = _connection.BeginTransaction();
            var writer = new ChangeWriter(_connection, _head);
            foreach (var work in batch)
            {
                work.Apply(writer);
            }

            transaction.Commit();
            _head = writer.Head;
        }
        catch (Exception e)
        {
            var seen = e is SqliteException { SqliteErrorCode: 13 } ? new StoreException(StoreError.NoSpace, $"embedded store: {e.Message}", e) : new StoreException(StoreError.Unavailable, $"embedded store: {e.Message}", e);
            foreach (var work in batch)
            {
                work.Fail(seen);
            }

            return;
        }

        _committed(_head);
        foreach (var work in batch)
        {
            work.Done();
        }
    }

    private sealed record Work(Action<ChangeWriter> Apply, Action Done, Action<Exception> Fail);
}
