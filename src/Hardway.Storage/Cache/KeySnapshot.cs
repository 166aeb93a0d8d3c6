namespace Hardway.Storage.Cache;

/// <summary>
/// An immutable ordered map of objects by key (ordinal): chunks of at most <see cref="MaxChunk"/> objects under one root array. A change
/// copies one chunk and the root, so a reader keeps a consistent list at no cost and enumerates arrays.
/// </summary>
internal sealed class KeySnapshot
{
    public const int MaxChunk = 128;
    public static readonly KeySnapshot Empty = new([], 0);
    private readonly CachedObject[][] _chunks;

    private KeySnapshot(CachedObject[][] chunks, int count)
    {
        _chunks = chunks;
        Count = count;
    }

    public int Count { get; }

    /// <summary>From objects in strictly ascending key order.</summary>
    public static KeySnapshot FromSorted(IReadOnlyList<CachedObject> objects)
    {
        // Half-full chunks leave room for what comes between.
        var chunks = objects.Chunk(MaxChunk * 3 / 4).ToArray();
        return new KeySnapshot(chunks, objects.Count);
    }

    public CachedObject? Find(string key)
    {
        var (chunk, index, found) = Locate(key);
        return found ? _chunks[chunk][index] : null;
    }

    /// <summary>Adds the object or replaces the one of its key.</summary>
    public KeySnapshot With(CachedObject value)
    {
        if (_chunks.Length == 0)
        {
            return new KeySnapshot([[value]], 1);
        }

        var (chunk, index, found) = Locate(value.Key);
        var old = _chunks[chunk];
        if (found)
        {
            CachedObject[] same = [.. old];
            same[index] = value;
            return new KeySnapshot(Replace(chunk, same), Count);
        }

        CachedObject[] grown = [.. old.AsSpan(0, index), value, .. old.AsSpan(index)];
        if (grown.Length <= MaxChunk)
        {
            return new KeySnapshot(Replace(chunk, grown), Count + 1);
        }

        // Keys mostly come in ascending order (generated names do not): appending keeps full chunks full.
        var cut = chunk == _chunks.Length - 1 && index == old.Length ? MaxChunk : grown.Length / 2;
        return new KeySnapshot(Replace(chunk, grown[..cut], grown[cut..]), Count + 1);
    }

    public KeySnapshot Without(string key)
    {
        var (chunk, index, found) = Locate(key);
        if (!found)
        {
            return this;
        }

        var old = _chunks[chunk];
        return old.Length == 1
            ? new KeySnapshot([.. _chunks.AsSpan(0, chunk), .. _chunks.AsSpan(chunk + 1)], Count - 1)
            : new KeySnapshot(Replace(chunk, [.. old.AsSpan(0, index), .. old.AsSpan(index + 1)]), Count - 1);
    }

    /// <summary>Objects whose keys begin with the prefix, from a key on (inclusive), in order.</summary>
    public IEnumerable<CachedObject> Range(string prefix, string? startKey)
    {
        var from = startKey is not null && string.CompareOrdinal(startKey, prefix) > 0 ? startKey : prefix;
        var (chunk, index, _) = Locate(from);
        for (; chunk < _chunks.Length; chunk++, index = 0)
        {
            var objects = _chunks[chunk];
            for (; index < objects.Length; index++)
            {
                if (!objects[index].Key.StartsWith(prefix, StringComparison.Ordinal))
                {
                    yield break;
                }

                yield return objects[index];
            }
        }
    }

    /// <summary>Where the key is, or where it would be put: in the last chunk that begins at or before it.</summary>
    private (int Chunk, int Index, bool Found) Locate(string key)
    {
        int low = 0, high = _chunks.Length - 1;
        while (low < high)
        {
            var middle = (low + high + 1) >>> 1;
            if (string.CompareOrdinal(_chunks[middle][0].Key, key) <= 0)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        if (_chunks.Length == 0)
        {
            return (0, 0, false);
        }

        var objects = _chunks[low];
        int first = 0, last = objects.Length - 1;
        while (first <= last)
        {
            var middle = (first + last) >>> 1;
            var order = string.CompareOrdinal(objects[middle].Key, key);
            if (order == 0)
            {
                return (low, middle, true);
            }

            if (order < 0)
            {
                first = middle + 1;
            }
            else
            {
                last = middle - 1;
            }
        }

        return (low, first, false);
    }

    private CachedObject[][] Replace(int chunk, params ReadOnlySpan<CachedObject[]> by) =>
        [.. _chunks.AsSpan(0, chunk), .. by, .. _chunks.AsSpan(chunk + 1)];
}
