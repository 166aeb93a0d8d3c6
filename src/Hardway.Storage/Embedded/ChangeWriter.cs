using Microsoft.Data.Sqlite;

namespace Hardway.Storage.Embedded;

/// <summary>Writes within one commit; each change takes the next revision. Used by the commit queue's thread only.</summary>
internal sealed class ChangeWriter(SqliteConnection connection, long head)
{
    private static readonly byte[] s_nothing = [];

    public long Head { get; private set; } = head;

    public StoreWrite Put(string key, ReadOnlyMemory<byte> value, long expected, long lease)
    {
        var there = ChangeLog.Latest(connection, key, Head);
        if ((there?.ModRevision ?? 0) != expected)
        {
            return new StoreWrite(false, Head, there);
        }

        if (lease != 0 && ChangeLog.Execute(connection, "UPDATE lease SET id = id WHERE id = $id", ("$id", lease)) == 0)
        {
            throw new StoreException(StoreError.LeaseNotFound, $"embedded store: lease {lease:x} has ended");
        }

        Append(key, value.ToArray(), there?.CreateRevision ?? Head + 1, deleted: false, lease, there?.ModRevision ?? 0);
        return new StoreWrite(true, Head, null);
    }

    public StoreWrite Delete(string key, long expected)
    {
        var there = ChangeLog.Latest(connection, key, Head);
        if (there is null || (expected != 0 && there.ModRevision != expected))
        {
            return new StoreWrite(false, Head, there);
        }

        Append(key, s_nothing, 0, deleted: true, 0, there.ModRevision);
        return new StoreWrite(true, Head, null);
    }

    public long Compact(long revision)
    {
        var compacted = Math.Max(ChangeLog.Number(connection, "compacted"), revision);
        SetNumber("compacted", compacted);
        SetNumber("head", Head);
        ChangeLog.Execute(
            connection,
            """
            DELETE FROM change WHERE revision <= $at AND ((deleted = 1 AND revision < $at)
                OR EXISTS (SELECT 1 FROM change n WHERE n.key = change.key AND n.revision > change.revision AND n.revision <= $at))
            """,
            ("$at", compacted));
        return compacted;
    }

    public long GrantLease(long seconds, long ends)
    {
        SetNumber("lease", ChangeLog.Number(connection, "lease") + 1);
        var id = ChangeLog.Number(connection, "lease");
        ChangeLog.Execute(connection, "INSERT INTO lease(id, seconds, ends) VALUES($id, $seconds, $ends)", ("$id", id), ("$seconds", seconds), ("$ends", ends));
        return id;
    }

    public bool KeepLeaseAlive(long lease, long now) =>
        ChangeLog.Execute(connection, "UPDATE lease SET ends = $now + seconds * 1000 WHERE id = $id", ("$id", lease), ("$now", now)) > 0;

    /// <summary>Leases that were running when the process ended begin again: their owners had no chance to renew them.</summary>
    public int RestartLeases(long now) =>
        ChangeLog.Execute(connection, "UPDATE lease SET ends = $now + seconds * 1000", ("$now", now));

    public int EndLease(long lease)
    {
        foreach (var key in ChangeLog.KeysOfLease(connection, lease))
        {
            if (ChangeLog.Latest(connection, key, Head) is { } there && there.Lease == lease)
            {
                Delete(key, there.ModRevision);
            }
        }

        return ChangeLog.Execute(connection, "DELETE FROM lease WHERE id = $id", ("$id", lease));
    }

    public int EndLeases(long now)
    {
        var ended = ChangeLog.EndedLeases(connection, now);
        ended.ForEach(l => EndLease(l));
        return ended.Count;
    }

    private void Append(string key, byte[] value, long created, bool deleted, long lease, long previous)
    {
        Head++;
        ChangeLog.Execute(
            connection,
            "INSERT INTO change(revision, key, created, deleted, lease, previous, value) VALUES($revision, $key, $created, $deleted, $lease, $previous, $value)",
            ("$revision", Head), ("$key", key), ("$created", created), ("$deleted", deleted ? 1 : 0), ("$lease", lease), ("$previous", previous), ("$value", value));
    }

    private void SetNumber(string name, long value) =>
        ChangeLog.Execute(connection, "INSERT INTO number(name, value) VALUES($name, $value) ON CONFLICT(name) DO UPDATE SET value = $value", ("$name", name), ("$value", value));
}
