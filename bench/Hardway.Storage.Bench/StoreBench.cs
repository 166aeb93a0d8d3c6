using Hardway.Storage.Embedded;

namespace Hardway.Storage.Bench;

/// <summary>"raw" of the design's budgets: transactions of 900 bytes by 32 callers, straight through the store.</summary>
internal static class StoreBench
{
    private const int Callers = 32;
    private static readonly byte[] s_value = [.. Enumerable.Range(0, 900).Select(i => (byte)('a' + (i % 26)))];

    public static async Task RunAsync(EtcdServer etcd, TimeSpan length)
    {
        await MeasureAsync("etcd put", length, i => etcd.Store.PutAsync($"/registry/raw/{i}", s_value, CancellationToken.None)).ConfigureAwait(false);
        await MeasureAsync("etcd create", length, i => etcd.Store.CreateAsync($"/registry/created/{i}", s_value, 0, CancellationToken.None)).ConfigureAwait(false);
        await MeasureAsync("etcd get", length, _ => etcd.Store.GetAsync("/registry/created/1", 0, CancellationToken.None)).ConfigureAwait(false);
        var directory = Directory.CreateTempSubdirectory("hardway-bench-").FullName;
        var embedded = EmbeddedStore.Open(Path.Combine(directory, "store.db"));
        await using (embedded.ConfigureAwait(false))
        {
            await MeasureAsync("embedded create", length, i => embedded.CreateAsync($"/registry/created/{i}", s_value, 0, CancellationToken.None)).ConfigureAwait(false);
        }

        Directory.Delete(directory, recursive: true);
    }

    private static async Task MeasureAsync(string what, TimeSpan length, Func<int, Task> call)
    {
        var (next, start) = (0, TimeProvider.System.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(async _ =>
        {
            while (TimeProvider.System.GetElapsedTime(start) < length)
            {
                await call(Interlocked.Increment(ref next)).ConfigureAwait(false);
            }
        })).ConfigureAwait(false);
        Console.WriteLine($"{what,-16} {next / TimeProvider.System.GetElapsedTime(start).TotalSeconds,10:N0} /s with {Callers} callers, {s_value.Length} bytes");
    }
}
