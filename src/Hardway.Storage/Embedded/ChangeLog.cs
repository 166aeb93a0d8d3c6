using Microsoft.Data.Sqlite;

namespace Hardway.Storage.Embedded;

/// <summary>
/// The database: one row a change, its revision the primary key, so that the present, the past and the watch are all reads of one
/// table. SQL only.
/// </summary>
internal static class ChangeLog
{
    private const string Columns = "c.key, c.revision, c.created, c.lease, c.value";

    public static void Prepare(SqliteConnection connection)
    {
        Execute(connection, "PRAGMA journal_mode=WAL");
        Execute(connection, "PRAGMA synchronous=FULL");
        Execute(connection, """
            CREATE TABLE IF NOT EXISTS change(revision INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT NULL, deleted INTEGER NOT NULL,
                lease INTEGER NOT NULL, previous INTEGER NOT NULL, value BLOB NOT NULL);
            CREATE INDEX IF NOT EXISTS change_by_key ON change(key, revision);
            CREATE INDEX IF NOT EXISTS change_by_lease ON change(lease) WHERE lease <> 0;
            CREATE TABLE IF NOT EXISTS lease(id INTEGER PRIMARY KEY, seconds INTEGER NOT NULL, ends INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS number(name TEXT PRIMARY KEY, value INTEGER NOT NULL);
            """);
    }

    public static long Head(SqliteConnection connection) =>
        Math.Max(1, Math.Max(Number(connection, "head"), Scalar(connection, "SELECT IFNULL(MAX(revision), 0) FROM change")));

    public static long Number(SqliteConnection connection, string name) =>
        Scalar(connection, "SELECT IFNULL((SELECT value FROM number WHERE name = $name), 0)", ("$name", name));

    public static StoreEntry? Latest(SqliteConnection connection, string key, long revision)
    {
        using var command = Command(connection, $"SELECT {Columns}, c.deleted FROM change c WHERE c.key = $key AND c.revision <= $revision ORDER BY c.revision DESC LIMIT 1", ("$key", key), ("$revision", revision));
        using var reader = command.ExecuteReader();
        return reader.Read() && reader.GetInt64(5) == 0 ? Entry(reader, keyOnly: false) : null;
    }

    public static StoreList List(SqliteConnection connection, StoreListRequest request, long revision)
    {
        const string Newest = "SELECT MAX(revision) FROM change WHERE key >= $start AND ($end IS NULL OR key < $end) AND revision <= $revision GROUP BY key";
        (string, object)[] arguments =
        [
            ("$start", request.StartKey ?? request.Prefix), ("$end", (object?)EndOf(request.Prefix) ?? DBNull.Value), ("$revision", revision),
            ("$limit", request.Limit <= 0 ? -1 : request.Limit),
        ];
        var entries = new List<StoreEntry>();
        if (!request.CountOnly)
        {
            using var command = Command(connection, $"SELECT {Columns} FROM change c WHERE c.revision IN ({Newest}) AND c.deleted = 0 ORDER BY c.key LIMIT $limit", arguments);
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                entries.Add(Entry(reader, request.KeysOnly));
            }
        }

        var all = request is { CountOnly: false } && (request.Limit <= 0 || entries.Count < request.Limit)
            ? entries.Count
            : Scalar(connection, $"SELECT COUNT(*) FROM change c WHERE c.revision IN ({Newest}) AND c.deleted = 0", arguments.AsSpan(0, 3));
        return new StoreList(entries, all, revision);
    }

    /// <summary>Changes after a revision up to another, at most <paramref name="limit"/> of them, of keys with the prefix.</summary>
    public static (List<StoreEvent> Events, long Last) Changes(SqliteConnection connection, string prefix, long after, long upTo, int limit)
    {
        using var command = Command(
            connection,
            $"""
            SELECT {Columns}, c.deleted, p.key, p.revision, p.created, p.lease, p.value FROM change c LEFT JOIN change p ON p.revision = c.previous
            WHERE c.revision > $after AND c.revision <= $upTo ORDER BY c.revision LIMIT $limit
            """,
            ("$after", after), ("$upTo", upTo), ("$limit", limit));
        using var reader = command.ExecuteReader();
        var events = new List<StoreEvent>();
        var (last, rows) = (after, 0);
        while (reader.Read())
        {
            rows++;
            last = reader.GetInt64(1);
            if (!reader.GetString(0).StartsWith(prefix, StringComparison.Ordinal))
            {
                continue;
            }

            var previous = reader.IsDBNull(6) ? null : Entry(reader, keyOnly: false, at: 6);
            var type = reader.GetInt64(5) == 0 ? StoreEventType.Put : StoreEventType.Delete;
            events.Add(new StoreEvent(type, Entry(reader, keyOnly: false), previous));
        }

        return (events, rows < limit ? upTo : last);
    }

    public static List<string> KeysOfLease(SqliteConnection connection, long lease)
    {
        using var command = Command(connection, "SELECT DISTINCT key FROM change WHERE lease = $lease", ("$lease", lease));
        using var reader = command.ExecuteReader();
        var keys = new List<string>();
        while (reader.Read())
        {
            keys.Add(reader.GetString(0));
        }

        return keys;
    }

    public static List<long> EndedLeases(SqliteConnection connection, long nowMilliseconds)
    {
        using var command = Command(connection, "SELECT id FROM lease WHERE ends <= $now", ("$now", nowMilliseconds));
        using var reader = command.ExecuteReader();
        var leases = new List<long>();
        while (reader.Read())
        {
            leases.Add(reader.GetInt64(0));
        }

        return leases;
    }

    public static int Execute(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object Value)> arguments)
    {
        using var command = Command(connection, sql, arguments);
        return command.ExecuteNonQuery();
    }

    private static long Scalar(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object Value)> arguments)
    {
        using var command = Command(connection, sql, arguments);
        return (long)command.ExecuteScalar()!;
    }

    private static SqliteCommand Command(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object Value)> arguments)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // Every text is a constant of this project; values are parameters.
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (var (name, value) in arguments)
        {
            command.Parameters.AddWithValue(name, value);
        }

        return command;
    }

    private static StoreEntry Entry(SqliteDataReader reader, bool keyOnly, int at = 0) =>
        new(reader.GetString(at), keyOnly ? default(ReadOnlyMemory<byte>) : (byte[])reader.GetValue(at + 4), reader.GetInt64(at + 1), reader.GetInt64(at + 2), reader.GetInt64(at + 3));

    /// <summary>The first text that does not begin with the prefix; null when there is no end.</summary>
    private static string? EndOf(string prefix) =>
        prefix.Length == 0 ? null : prefix[..^1] + (char)(prefix[^1] + 1);
}
