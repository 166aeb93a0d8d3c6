using Hardway.Storage.Etcd;

namespace Hardway.Storage.Tests;

public sealed class EtcdTlsTests
{
    [Fact]
    public async Task Etcd_with_client_certificates_takes_ours_and_nobody_elses()
    {
        var stop = TestContext.Current.CancellationToken;
        using var certificates = new EtcdCertificates();
        await using var etcd = await EtcdProcess.StartWithTlsAsync(certificates);
        await using var store = etcd.Connect();
        var written = await store.CreateAsync("/registry/x", "1"u8.ToArray(), 0, stop);
        await foreach (var batch in store.WatchAsync("", written.Revision, stop))
        {
            if (batch.Events.Count > 0)
            {
                Assert.Equal("/registry/x", batch.Events[0].Entry.Key);
                break;
            }
        }

        await using var stranger = new EtcdStore(new EtcdOptions { Endpoints = [etcd.Endpoint], Tls = certificates.Nobody, RequestTimeout = TimeSpan.FromSeconds(1) });
        await using var deceived = new EtcdStore(new EtcdOptions { Endpoints = [etcd.Endpoint], RequestTimeout = TimeSpan.FromSeconds(1) });
        Assert.Equal(StoreError.Unavailable, (await Assert.ThrowsAsync<StoreException>(() => stranger.CurrentRevisionAsync(stop))).Error);
        Assert.Equal(StoreError.Unavailable, (await Assert.ThrowsAsync<StoreException>(() => deceived.CurrentRevisionAsync(stop))).Error);
    }
}
