namespace Hardway.Storage.Cache;

/// <summary>Those who wait for a revision. <see cref="Release"/> and the joining half of <see cref="WaitAsync"/> run under the cache's lock.</summary>
internal sealed class RevisionWaiters
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _waiters = new();

    public Task<bool> WaitAsync(long revision, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(revision);
        LinkedListNode<Waiter> node;
        lock (_gate)
        {
            node = _waiters.AddLast(waiter);
        }

        return LeaveAsync(node, limit, time, cancellationToken);
    }

    public void Release(long revision)
    {
        lock (_gate)
        {
            for (var node = _waiters.First; node is not null;)
            {
                var next = node.Next;
                if (node.Value.Revision <= revision)
                {
                    _waiters.Remove(node);
                    node.Value.Reached.TrySetResult();
                }

                node = next;
            }
        }
    }

    private async Task<bool> LeaveAsync(LinkedListNode<Waiter> node, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await node.Value.Reached.Task.WaitAsync(limit, time, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        finally
        {
            lock (_gate)
            {
                if (node.List is not null)
                {
                    _waiters.Remove(node);
                }
            }
        }
    }

    private sealed class Waiter(long revision)
    {
        public long Revision { get; } = revision;

        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
