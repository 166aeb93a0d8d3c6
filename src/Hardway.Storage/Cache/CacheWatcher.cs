using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Hardway.Storage.Cache;

/// <summary>What a watcher wants. The prefix lies within one partition.</summary>
public readonly record struct CacheWatchRequest(string Prefix)
{
    /// <summary>Events after this revision; of no meaning with <see cref="InitialState"/>.</summary>
    public long FromRevision { get; init; }

    /// <summary>Begin with the present objects as Added events.</summary>
    public bool InitialState { get; init; }

    /// <summary>Follow the initial state by a bookmark that says so.</summary>
    public bool InitialStateBookmark { get; init; }

    public bool Bookmarks { get; init; }

    /// <summary>Only events whose object has, or had, this <see cref="CachedObject.Index"/>.</summary>
    public string? Index { get; init; }
}

public enum CacheWatchEnd
{
    None,

    /// <summary>The reader was too slow; it can resume from the last revision it saw.</summary>
    TooSlow,

    /// <summary>The cache had to be loaded anew; a resume may find its revision gone.</summary>
    CacheReset,

    Stopped,
}

/// <summary>
/// One watcher's stream: first what was there when it began, then live events through a bounded channel. One reader. The writer never
/// waits for it: when the channel is full the watcher is closed.
/// </summary>
public sealed class CacheWatcher : IDisposable
{
    private readonly CacheWatchRequest _request;
    private readonly Channel<CacheEvent> _live;
    private readonly Action<CacheWatcher> _unregister;
    private IEnumerator<CacheEvent>? _first;
    private int _end;

    internal CacheWatcher(CacheWatchRequest request, IEnumerable<CacheEvent> first, long registeredAt, int buffer, Action<CacheWatcher> unregister)
    {
        _request = request;
        _first = first.GetEnumerator();
        RegisteredAt = registeredAt;
        _unregister = unregister;
        _live = Channel.CreateBounded<CacheEvent>(new BoundedChannelOptions(buffer) { SingleReader = true, SingleWriter = true });
    }

    /// <summary>Why the stream ended; set before the end can be seen.</summary>
    public CacheWatchEnd End => (CacheWatchEnd)Volatile.Read(ref _end);

    internal CacheWatchRequest Request => _request;

    /// <summary>The cache's revision when the watcher joined: live events are later ones.</summary>
    internal long RegisteredAt { get; }

    /// <summary>The next event if there is one at once; lets a server write several before it flushes.</summary>
    public bool TryRead([MaybeNullWhen(false)] out CacheEvent e)
    {
        if (_first is not null)
        {
            if (_first.MoveNext())
            {
                e = _first.Current;
                return true;
            }

            _first.Dispose();
            _first = null;
        }

        return _live.Reader.TryRead(out e);
    }

    /// <summary>False when the stream has ended (see <see cref="End"/>); true when it is worth another <see cref="TryRead"/>.</summary>
    public ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken) =>
        _first is not null ? ValueTask.FromResult(true) : _live.Reader.WaitToReadAsync(cancellationToken);

    public async IAsyncEnumerable<CacheEvent> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            while (TryRead(out var e))
            {
                yield return e;
            }
        }
    }

    public void Dispose()
    {
        _unregister(this);
        Close(CacheWatchEnd.Stopped);
        _first?.Dispose();
        _first = null;
    }

    /// <summary>False when the watcher had to be closed. Called under the cache's lock.</summary>
    internal bool Offer(CacheEvent e)
    {
        if (e.Revision <= _request.FromRevision || _live.Writer.TryWrite(e))
        {
            return true;
        }

        Close(CacheWatchEnd.TooSlow);
        return false;
    }

    /// <summary>A bookmark may be left out when there is no room.</summary>
    internal void OfferBookmark(CacheEvent bookmark)
    {
        if (bookmark.Revision >= _request.FromRevision)
        {
            _live.Writer.TryWrite(bookmark);
        }
    }

    internal void Close(CacheWatchEnd why)
    {
        Interlocked.CompareExchange(ref _end, (int)why, (int)CacheWatchEnd.None);
        _live.Writer.TryComplete();
    }
}
