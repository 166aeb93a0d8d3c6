using System.Text;

namespace Hardway.Storage.Tests;

/// <summary>What every store must do; run for each implementation. Every test has keys of its own.</summary>
public abstract class StoreContract
{
    private readonly string _prefix = $"/registry/{Guid.NewGuid():N}/";

    protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    protected abstract IStore Store { get; }

    [Fact]
    public async Task A_created_key_is_read_back_with_its_revision()
    {
        var written = await Store.CreateAsync(_prefix + "a", Bytes("1"), 0, Stop);
        var read = await Store.GetAsync(_prefix + "a", 0, Stop);

        Assert.True(written.Succeeded);
        Assert.Equal("1", Text(read.Entry));
        Assert.Equal((written.Revision, written.Revision), (read.Entry!.ModRevision, read.Entry.CreateRevision));
        Assert.True(read.Revision >= written.Revision);
    }

    [Fact]
    public async Task A_missing_key_reads_as_nothing_at_the_present_revision()
    {
        var read = await Store.GetAsync(_prefix + "no", 0, Stop);
        Assert.Null(read.Entry);
        Assert.True(read.Revision >= 1);
    }

    [Fact]
    public async Task Creating_what_exists_is_a_conflict_that_shows_it()
    {
        var first = await Store.CreateAsync(_prefix + "a", Bytes("1"), 0, Stop);
        var second = await Store.CreateAsync(_prefix + "a", Bytes("2"), 0, Stop);

        Assert.False(second.Succeeded);
        Assert.Equal(("1", first.Revision), (Text(second.Current), second.Current!.ModRevision));
    }

    [Fact]
    public async Task An_update_needs_the_expected_revision()
    {
        var created = await Store.CreateAsync(_prefix + "a", Bytes("1"), 0, Stop);
        var good = await Store.UpdateAsync(_prefix + "a", Bytes("2"), created.Revision, 0, Stop);
        var late = await Store.UpdateAsync(_prefix + "a", Bytes("3"), created.Revision, 0, Stop);
        var missing = await Store.UpdateAsync(_prefix + "b", Bytes("3"), created.Revision, 0, Stop);

        Assert.True(good.Succeeded && good.Revision > created.Revision);
        Assert.Equal((false, "2", good.Revision), (late.Succeeded, Text(late.Current), late.Current!.ModRevision));
        Assert.Equal((false, null), (missing.Succeeded, missing.Current));
        Assert.Equal(created.Revision, (await Store.GetAsync(_prefix + "a", 0, Stop)).Entry!.CreateRevision);
    }

    [Fact]
    public async Task A_delete_needs_the_expected_revision_or_none()
    {
        var created = await Store.CreateAsync(_prefix + "a", Bytes("1"), 0, Stop);
        var wrong = await Store.DeleteAsync(_prefix + "a", created.Revision + 1, Stop);
        var good = await Store.DeleteAsync(_prefix + "a", created.Revision, Stop);
        var again = await Store.DeleteAsync(_prefix + "a", 0, Stop);
        await Store.CreateAsync(_prefix + "b", Bytes("1"), 0, Stop);
        var any = await Store.DeleteAsync(_prefix + "b", 0, Stop);

        Assert.Equal((false, "1"), (wrong.Succeeded, Text(wrong.Current)));
        Assert.True(good.Succeeded && good.Revision > created.Revision);
        Assert.Equal((false, null), (again.Succeeded, again.Current));
        Assert.True(any.Succeeded);
        Assert.Null((await Store.GetAsync(_prefix + "a", 0, Stop)).Entry);
    }

    [Fact]
    public async Task Of_many_writers_with_one_revision_exactly_one_wins()
    {
        var created = await Store.CreateAsync(_prefix + "a", Bytes("0"), 0, Stop);
        var writes = await Task.WhenAll(Enumerable.Range(1, 20).Select(i => Store.UpdateAsync(_prefix + "a", Bytes($"{i}"), created.Revision, 0, Stop)));

        var winner = Assert.Single(writes, w => w.Succeeded);
        Assert.All(writes.Where(w => !w.Succeeded), w => Assert.Equal(winner.Revision, w.Current!.ModRevision));
    }

    [Fact]
    public async Task A_list_is_in_key_order_and_in_pages_of_one_revision()
    {
        await FillAsync("c", "a", "b", "d");
        var first = await Store.ListAsync(new StoreListRequest(_prefix) { Limit = 3 }, Stop);
        await Store.CreateAsync(_prefix + "cc", Bytes("x"), 0, Stop);
        var second = await Store.ListAsync(new StoreListRequest(_prefix) { Limit = 3, StartKey = first.Entries[^1].Key + "\0", Revision = first.Revision }, Stop);

        Assert.Equal(["a", "b", "c"], Names(first));
        Assert.Equal((4, true), (first.Count, first.More));
        Assert.Equal(["d"], Names(second));
        Assert.Equal((1, false, first.Revision), (second.Count, second.More, second.Revision));
    }

    [Fact]
    public async Task A_prefix_does_not_take_its_neighbours()
    {
        await FillAsync("pods/a", "pods0", "podsz/a", "pod/a");
        Assert.Equal(["pods/a"], Names(await Store.ListAsync(new StoreListRequest(_prefix + "pods/"), Stop)));
        Assert.Equal(1, (await Store.ListAsync(new StoreListRequest(_prefix + "pods/") { CountOnly = true }, Stop)).Count);
        Assert.Empty((await Store.ListAsync(new StoreListRequest(_prefix + "none/"), Stop)).Entries);
    }

    [Fact]
    public async Task Keys_only_leaves_the_values_out()
    {
        await FillAsync("a");
        var entry = Assert.Single((await Store.ListAsync(new StoreListRequest(_prefix) { KeysOnly = true }, Stop)).Entries);
        Assert.Equal((_prefix + "a", 0), (entry.Key, entry.Value.Length));
    }

    [Fact]
    public async Task The_past_can_be_read_until_it_is_compacted()
    {
        var one = await Store.CreateAsync(_prefix + "a", Bytes("1"), 0, Stop);
        var two = await Store.UpdateAsync(_prefix + "a", Bytes("2"), one.Revision, 0, Stop);
        Assert.Equal("1", Text((await Store.GetAsync(_prefix + "a", one.Revision, Stop)).Entry));
        Assert.Equal("1", Text((await Store.ListAsync(new StoreListRequest(_prefix) { Revision = one.Revision }, Stop)).Entries[0]));

        await Store.CompactAsync(two.Revision, Stop);
        await Store.CompactAsync(one.Revision, Stop);
        Assert.Equal(StoreError.Compacted, await FailureAsync(() => Store.GetAsync(_prefix + "a", one.Revision, Stop)));
        Assert.Equal(StoreError.Compacted, await FailureAsync(() => Store.ListAsync(new StoreListRequest(_prefix) { Revision = one.Revision }, Stop)));
        Assert.Equal("2", Text((await Store.GetAsync(_prefix + "a", two.Revision, Stop)).Entry));
        Assert.Equal("2", Text((await Store.GetAsync(_prefix + "a", 0, Stop)).Entry));
    }

    [Fact]
    public async Task The_future_cannot_be_read()
    {
        var now = await Store.CurrentRevisionAsync(Stop);
        Assert.Equal(StoreError.FutureRevision, await FailureAsync(() => Store.ListAsync(new StoreListRequest(_prefix) { Revision = now + 1000 }, Stop)));
    }

    [Fact]
    public async Task The_current_revision_includes_what_was_written()
    {
        var written = await Store.CreateAsync(_prefix + "a", Bytes("1"), 0, Stop);
        Assert.True(await Store.CurrentRevisionAsync(Stop) >= written.Revision);
    }

    [Fact]
    public async Task A_watch_shows_the_past_and_then_what_happens_with_values_before()
    {
        var created = await Store.CreateAsync(_prefix + "a", Bytes("1"), 0, Stop);
        await using var watch = Store.WatchAsync(_prefix, created.Revision, Stop).GetAsyncEnumerator(Stop);
        var first = await EventsAsync(watch, 1);
        var updated = await Store.UpdateAsync(_prefix + "a", Bytes("2"), created.Revision, 0, Stop);
        await Store.CreateAsync("/registry/elsewhere-" + Guid.NewGuid(), Bytes("x"), 0, Stop);
        var deleted = await Store.DeleteAsync(_prefix + "a", updated.Revision, Stop);
        var then = await EventsAsync(watch, 2);

        Assert.True(first[0].IsCreate);
        Assert.Equal((StoreEventType.Put, "2", "1", updated.Revision), (then[0].Type, Text(then[0].Entry), Text(then[0].Previous), then[0].Entry.ModRevision));
        Assert.Equal((StoreEventType.Delete, _prefix + "a", "2", deleted.Revision), (then[1].Type, then[1].Entry.Key, Text(then[1].Previous), then[1].Entry.ModRevision));
        Assert.False(then[0].IsCreate);
    }

    [Fact]
    public async Task A_watch_of_all_keys_sees_every_revision()
    {
        var start = await Store.CurrentRevisionAsync(Stop);
        await using var watch = Store.WatchAsync("", start + 1, Stop).GetAsyncEnumerator(Stop);
        await FillAsync(Enumerable.Range(0, 30).Select(i => $"k{i:00}").ToArray());
        var head = await Store.CurrentRevisionAsync(Stop);

        var seen = new List<long>();
        while (seen.Count == 0 || seen[^1] < head)
        {
            Assert.True(await watch.MoveNextAsync());
            seen.AddRange(watch.Current.Events.Select(e => e.Entry.ModRevision));
            Assert.True(watch.Current.Events.Count == 0 || watch.Current.Revision == watch.Current.Events[^1].Entry.ModRevision);
        }

        Assert.Equal(Enumerable.Range(0, (int)(head - start)).Select(i => start + 1 + i), seen.Distinct());
    }

    [Fact]
    public async Task A_long_history_is_watched_in_order_and_complete()
    {
        var first = await Store.CreateAsync(_prefix + "0000", Bytes("x"), 0, Stop);
        foreach (var group in Enumerable.Range(1, 1500).Chunk(100))
        {
            await Task.WhenAll(group.Select(i => Store.CreateAsync($"{_prefix}{i:0000}", Bytes("x"), 0, Stop)));
        }

        await using var watch = Store.WatchAsync(_prefix, first.Revision, Stop).GetAsyncEnumerator(Stop);
        var events = await EventsAsync(watch, 1501);
        Assert.Equal(1501, events.Select(e => e.Entry.Key).Distinct().Count());
        Assert.Equal(events.Select(e => e.Entry.ModRevision).Order(), events.Select(e => e.Entry.ModRevision));
    }

    [Fact]
    public async Task A_watch_from_compacted_history_says_so()
    {
        var one = await Store.CreateAsync(_prefix + "a", Bytes("1"), 0, Stop);
        var two = await Store.UpdateAsync(_prefix + "a", Bytes("2"), one.Revision, 0, Stop);
        var three = await Store.UpdateAsync(_prefix + "a", Bytes("3"), two.Revision, 0, Stop);
        await Store.CompactAsync(three.Revision, Stop);

        await using var watch = Store.WatchAsync(_prefix, one.Revision, Stop).GetAsyncEnumerator(Stop);
        var e = await Assert.ThrowsAsync<StoreException>(() => EventsAsync(watch, 1));
        Assert.Equal((StoreError.Compacted, true), (e.Error, e.CompactRevision >= three.Revision));
    }

    [Fact]
    public async Task A_cancelled_watch_ends()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        await using var watch = Store.WatchAsync(_prefix, 1 + await Store.CurrentRevisionAsync(Stop), cancel.Token).GetAsyncEnumerator(cancel.Token);
        Assert.True(await watch.MoveNextAsync());
        var next = watch.MoveNextAsync().AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
    }

    [Fact]
    public async Task A_key_goes_with_its_lease()
    {
        var lease = await Store.GrantLeaseAsync(TimeSpan.FromSeconds(600), Stop);
        var written = await Store.CreateAsync(_prefix + "a", Bytes("1"), lease, Stop);
        await using var watch = Store.WatchAsync(_prefix, written.Revision + 1, Stop).GetAsyncEnumerator(Stop);
        Assert.True(await Store.KeepLeaseAliveAsync(lease, Stop));
        Assert.Equal(lease, (await Store.GetAsync(_prefix + "a", 0, Stop)).Entry!.Lease);

        await Store.RevokeLeaseAsync(lease, Stop);
        Assert.Equal(StoreEventType.Delete, Assert.Single(await EventsAsync(watch, 1)).Type);
        Assert.False(await Store.KeepLeaseAliveAsync(lease, Stop));
        await Store.RevokeLeaseAsync(lease, Stop);
        Assert.Equal(StoreError.LeaseNotFound, await FailureAsync(() => Store.CreateAsync(_prefix + "b", Bytes("1"), lease, Stop)));
    }

    [Fact]
    public async Task A_lease_ends_by_itself()
    {
        var lease = await Store.GrantLeaseAsync(TimeSpan.FromSeconds(1), Stop);
        var written = await Store.CreateAsync(_prefix + "a", Bytes("1"), lease, Stop);
        await using var watch = Store.WatchAsync(_prefix, written.Revision + 1, Stop).GetAsyncEnumerator(Stop);
        var gone = Assert.Single(await EventsAsync(watch, 1));
        Assert.Equal((StoreEventType.Delete, "1"), (gone.Type, Text(gone.Previous)));
    }

    [Fact]
    public async Task Values_may_be_empty_and_any_bytes()
    {
        byte[] all = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        await Store.CreateAsync(_prefix + "all", all, 0, Stop);
        await Store.CreateAsync(_prefix + "none", default, 0, Stop);
        Assert.Equal(all, (await Store.GetAsync(_prefix + "all", 0, Stop)).Entry!.Value.ToArray());
        Assert.Equal(0, (await Store.GetAsync(_prefix + "none", 0, Stop)).Entry!.Value.Length);
    }

    protected static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    protected static string? Text(StoreEntry? entry) => entry is null ? null : Encoding.UTF8.GetString(entry.Value.Span);

    private static async Task<List<StoreEvent>> EventsAsync(IAsyncEnumerator<StoreWatchBatch> watch, int count)
    {
        var events = new List<StoreEvent>();
        while (events.Count < count)
        {
            Assert.True(await watch.MoveNextAsync());
            events.AddRange(watch.Current.Events);
        }

        return events;
    }

    private static async Task<StoreError> FailureAsync(Func<Task> call) => (await Assert.ThrowsAsync<StoreException>(call)).Error;

    private IEnumerable<string> Names(StoreList list) => list.Entries.Select(e => e.Key[_prefix.Length..]);

    private async Task FillAsync(params string[] names)
    {
        foreach (var name in names)
        {
            Assert.True((await Store.CreateAsync(_prefix + name, Bytes(name), 0, Stop)).Succeeded);
        }
    }
}
