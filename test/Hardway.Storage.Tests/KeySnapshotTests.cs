using Hardway.Storage.Cache;

namespace Hardway.Storage.Tests;

public sealed class KeySnapshotTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void It_agrees_with_a_sorted_dictionary_whatever_is_done(int seed)
    {
        var random = new Random(seed);
        var expected = new SortedDictionary<string, CachedObject>(StringComparer.Ordinal);
        var snapshot = KeySnapshot.Empty;
        for (var i = 0; i < 6000; i++)
        {
            var o = Object($"/r/{random.Next(26)}/{random.Next(i < 4000 ? 60 : 20)}", i);
            if (random.Next(i < 3000 ? 5 : 2) == 0)
            {
                expected.Remove(o.Key);
                snapshot = snapshot.Without(o.Key);
            }
            else
            {
                expected[o.Key] = o;
                snapshot = snapshot.With(o);
            }

            Assert.Equal(expected.Count, snapshot.Count);
        }

        Assert.Equal(expected.Values, snapshot.Range("/r/", null));
        for (var p = 0; p < 26; p++)
        {
            var prefix = $"/r/{p}/";
            Assert.Equal(expected.Values.Where(o => o.Key.StartsWith(prefix, StringComparison.Ordinal)), snapshot.Range(prefix, null));
            var start = prefix + "3";
            Assert.Equal(expected.Values.Where(o => o.Key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(o.Key, start) >= 0), snapshot.Range(prefix, start));
        }

        Assert.All(expected, e => Assert.Same(e.Value, snapshot.Find(e.Key)));
        Assert.Null(snapshot.Find("/r/nothing"));
        Assert.Equal(expected.Values, KeySnapshot.FromSorted([.. expected.Values]).Range("", null));
    }

    [Fact]
    public void An_older_snapshot_is_not_changed_by_what_is_made_of_it()
    {
        var one = KeySnapshot.Empty.With(Object("a", 1));
        var two = one.With(Object("a", 2)).With(Object("b", 2));
        Assert.Equal([1L], one.Range("", null).Select(o => o.ResourceVersion));
        Assert.Equal([2L, 2L], two.Range("", null).Select(o => o.ResourceVersion));
    }

    private static CachedObject Object(string key, long revision) => new() { Key = key, Name = key, ResourceVersion = revision, Json = default };
}
