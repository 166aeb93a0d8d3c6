using System.Collections.Concurrent;
using Hardway.Grpc;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Cri;
using Hardway.Linux.Files;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Housekeeping;

/// <summary>
/// Removes images that no container uses when their file system is fuller than the high threshold, those longest out of use first, until it is
/// below the low one. Pinned images, the sandbox's image and images younger than the minimum age stay.
/// </summary>
internal sealed partial class ImageCollection(RuntimeClient runtime, KubeletConfig config, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);
    private readonly ConcurrentDictionary<string, (DateTimeOffset Found, DateTimeOffset Used)> _seen = new(StringComparer.Ordinal);

    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Period, time);
        do
        {
            try
            {
                await CollectAsync(stop);
            }
            catch (Exception e) when (e is GrpcException or IOException)
            {
                LogFailed(log, e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    internal async Task CollectAsync(CancellationToken stop)
    {
        var unused = await UnusedAsync(config.ImageMinimumGcAge, stop);
        if (config.ImageMaximumGcAge > TimeSpan.Zero)
        {
            var now = time.GetUtcNow();
            foreach (var old in unused.Where(i => now - LastUse(i) > config.ImageMaximumGcAge).ToList())
            {
                await RemoveAsync(old, $"unused for longer than {config.ImageMaximumGcAge}", stop);
                unused.Remove(old);
            }
        }
        var info = await runtime.ImageFsInfoAsync(stop);
        var place = info.ImageFilesystems.FirstOrDefault()?.FsId?.Mountpoint;
        if (string.IsNullOrEmpty(place) || !Directory.Exists(place))
            return;
        foreach (var image in unused)
        {
            var disk = FileSystemStat.Of(place);
            var used = 100 - (int)(disk.AvailableBytes * 100 / Math.Max(1, disk.CapacityBytes));
            if (used < config.ImageGcLowThresholdPercent || (used < config.ImageGcHighThresholdPercent && image == unused[0]))
                return;
            await RemoveAsync(image, $"the image file system is {used}% full", stop);
        }
    }

    /// <summary>Removes every image that is not in use, whatever its age: disk has run short.</summary>
    public async Task CollectAllAsync(CancellationToken stop)
    {
        foreach (var image in await UnusedAsync(TimeSpan.Zero, stop))
            await RemoveAsync(image, "disk has run short", stop);
    }

    /// <summary>An image that was never seen in use counts from when it was found.</summary>
    private DateTimeOffset LastUse(Image image) => _seen.TryGetValue(image.Id, out var seen) ? (seen.Used > seen.Found ? seen.Used : seen.Found) : time.GetUtcNow();

    private async Task RemoveAsync(Image image, string why, CancellationToken stop)
    {
        LogRemoving(log, image.RepoTags.FirstOrDefault() ?? image.Id, why);
        await runtime.RemoveImageAsync(image.Id, stop);
        _seen.TryRemove(image.Id, out _);
    }

    private async Task<List<Image>> UnusedAsync(TimeSpan least, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        var images = await runtime.ListImagesAsync(stop);
        var used = (await runtime.ListContainersAsync(null, stop)).SelectMany(c => new[] { c.Image?.Image ?? "", c.ImageRef }).ToHashSet(StringComparer.Ordinal);
        foreach (var image in images)
        {
            var before = _seen.TryGetValue(image.Id, out var known) ? known : (now, DateTimeOffset.MinValue);
            _seen[image.Id] = IsUsed(image, used) ? (before.Item1, now) : before;
        }
        return
        [
            .. images.Where(i => !i.Pinned && !IsUsed(i, used) && !i.RepoTags.Any(t => t.Contains("/pause:", StringComparison.Ordinal)) && now - _seen[i.Id].Found >= least)
                .OrderBy(i => _seen[i.Id].Used).ThenBy(i => _seen[i.Id].Found),
        ];
    }

    private static bool IsUsed(Image image, HashSet<string> used) => used.Contains(image.Id) || image.RepoTags.Any(used.Contains) || image.RepoDigests.Any(used.Contains);

    [LoggerMessage(Level = LogLevel.Information, Message = "Image {Image} is removed: {Reason}")]
    private static partial void LogRemoving(ILogger log, string image, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Images could not be collected: {Reason}")]
    private static partial void LogFailed(ILogger log, string reason);
}
