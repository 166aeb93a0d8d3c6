using Hardway.Storage.Cache;

namespace Hardway.ApiServer.Handlers;

/// <summary>Keeps the snapshots of lists that are read in pages, for a minute and only a few, so that next pages need no read of history.</summary>
internal sealed class SnapshotShelf(TimeProvider time)
{
    private const int Most = 32;
    private static readonly TimeSpan s_keep = TimeSpan.FromMinutes(1);
    private readonly Lock _gate = new();
    private readonly LinkedList<(string Prefix, CacheSnapshot Snapshot, long Since)> _kept = new();

    public void Keep(string prefix, CacheSnapshot snapshot)
    {
        lock (_gate)
        {
            while (_kept.Count >= Most || (_kept.First is { } oldest && time.GetElapsedTime(oldest.Value.Since) > s_keep))
            {
                _kept.RemoveFirst();
            }

            if (_kept.Last is not { } last || last.Value.Prefix != prefix || last.Value.Snapshot.Revision != snapshot.Revision)
            {
                _kept.AddLast((prefix, snapshot, time.GetTimestamp()));
            }
        }
    }

    public CacheSnapshot? Find(string prefix, long revision)
    {
        lock (_gate)
        {
            foreach (var (kept, snapshot, _) in _kept)
            {
                if (kept == prefix && snapshot.Revision == revision)
                {
                    return snapshot;
                }
            }

            return null;
        }
    }
}
