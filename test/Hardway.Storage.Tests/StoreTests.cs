using Hardway.Storage.Embedded;
using Hardway.Storage.Etcd;

namespace Hardway.Storage.Tests;

public sealed class EtcdFixture : IAsyncLifetime
{
    private EtcdProcess? _etcd;

    public EtcdStore Store { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _etcd = await EtcdProcess.StartAsync();
        Store = _etcd.Connect();
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await _etcd!.DisposeAsync();
    }
}

public sealed class EtcdStoreTests(EtcdFixture fixture) : StoreContract, IClassFixture<EtcdFixture>
{
    protected override IStore Store => fixture.Store;

    [Fact]
    public async Task A_value_over_etcds_limit_is_refused_as_too_large()
    {
        var e = await Assert.ThrowsAsync<StoreException>(() => Store.CreateAsync("/registry/large", new byte[3 << 20], 0, Stop));
        Assert.Equal(StoreError.TooLarge, e.Error);
    }
}

public sealed class EmbeddedStoreTests : StoreContract, IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("hardway-store-").FullName;
    private EmbeddedStore _store = null!;

    protected override IStore Store => _store;

    private string DatabasePath => Path.Combine(_directory, "store.db");

    public ValueTask InitializeAsync()
    {
        _store = EmbeddedStore.Open(DatabasePath);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task What_was_written_is_there_after_the_store_was_opened_again_and_revisions_go_on()
    {
        await _store.CreateAsync("/registry/a", Bytes("1"), 0, Stop);
        var deleted = await _store.DeleteAsync("/registry/a", 0, Stop);
        await _store.CompactAsync(deleted.Revision, Stop);
        await _store.DisposeAsync();
        _store = EmbeddedStore.Open(DatabasePath);

        var next = await _store.CreateAsync("/registry/b", Bytes("2"), 0, Stop);
        Assert.Equal(deleted.Revision + 1, next.Revision);
        Assert.Equal("2", Text((await _store.GetAsync("/registry/b", 0, Stop)).Entry));
    }

    [Fact]
    public void A_second_process_is_refused()
    {
        var e = Assert.Throws<StoreException>(() => EmbeddedStore.Open(DatabasePath));
        Assert.Contains(DatabasePath, e.Message);
    }

    [Fact]
    public void The_file_is_its_owners_only()
    {
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(DatabasePath));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(DatabasePath + "-wal"));
    }
}
