using Hardway.Hosting;
using Hardway.Provisioning.Api;

namespace Hardway.Provisioning.Drills;

/// <summary>Someone holds a Lease, as it was seen.</summary>
internal sealed record LeaseSight(double At, string Holder, DateTimeOffset Renewed);

/// <summary>Looks at things again and again and notes when each was first so, after the fault.</summary>
internal sealed class DrillWatch(DrillClock clock, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _running = [];

    /// <summary>Completes with the time at which it was first seen to be so, after the fault; null when it was not until the end.</summary>
    public Task<double?> FirstAsync(Func<CancellationToken, Task<bool>> isSo)
    {
        var task = Task.Run(
            async () =>
            {
                while (!_end.IsCancellationRequested)
                {
                    if (clock.Now > 0 && await AskAsync(isSo).ConfigureAwait(false))
                    {
                        return (double?)clock.Now;
                    }

                    await Task.Delay(_pause, time, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }

                return null;
            },
            CancellationToken.None);
        _running.Add(task);
        return task;
    }

    /// <summary>Every holder and renewal of a Lease, until the end.</summary>
    public List<LeaseSight> Lease(ClusterModel cluster, string name)
    {
        var sights = new List<LeaseSight>();
        _running.Add(Task.Run(
            async () =>
            {
                using var api = new ApiConnection(cluster);
                while (!_end.IsCancellationRequested)
                {
                    await AskAsync(async token =>
                    {
                        if (await LeaseState.ReadAsync(api, name, token).ConfigureAwait(false) is { } lease)
                        {
                            lock (sights)
                            {
                                sights.Add(new LeaseSight(clock.Now, lease.Holder, lease.Renewed));
                            }
                        }

                        return true;
                    }).ConfigureAwait(false);
                    await Task.Delay(_pause, time, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            },
            CancellationToken.None));
        return sights;
    }

    public async Task StopAsync()
    {
        await _end.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_running).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _end.Dispose();
    }

    /// <summary>What cannot be asked just now is not seen.</summary>
    private async Task<bool> AskAsync(Func<CancellationToken, Task<bool>> isSo)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        limit.CancelAfter(TimeSpan.FromSeconds(2));
        try
        {
            return await isSo(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ComponentException or HttpRequestException or IOException)
        {
            return false;
        }
    }
}
