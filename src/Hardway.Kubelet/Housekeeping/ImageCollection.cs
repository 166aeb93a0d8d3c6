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
    private readonly Dictionary<string, (DateTimeOffset Found, DateTimeOffset Used)> _seen = new(StringComparer.Ordinal);

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
        var unused = await UnusedAsync(stop);
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
            LogRemoving(log, image.RepoTags.FirstOrDefault() ?? image.Id, used);
            await runtime.RemoveImageAsync(image.Id, stop);
            _seen.Remove(image.Id);
        }
    }

    private async Task<List<Image>> UnusedAsync(CancellationToken stop)
    {
        var now = time.GetUtcNow();
        var images = await runtime.ListImagesAsync(stop);
        var used = (await runtime.ListContainersAsync(null, stop)).SelectMany(c => new[] { c.Image?.Image ?? "", c.ImageRef }).ToHashSet(StringComparer.Ordinal);
        foreach (var image in images)
        {
            var before = _seen.GetValueOrDefault(image.Id, (now, DateTimeOffset.MinValue));
            _seen[image.Id] = IsUsed(image, used) ? (before.Item1, now) : before;
        }
        return
        [
            .. images.Where(i => !i.Pinned && !IsUsed(i, used) && !i.RepoTags.Any(t => t.Contains("/pause:", StringComparison.Ordinal)) && now - _seen[i.Id].Found >= config.ImageMinimumGcAge)
                .OrderBy(i => _seen[i.Id].Used).ThenBy(i => _seen[i.Id].Found),
        ];
    }

    private static bool IsUsed(Image image, HashSet<string> used) => used.Contains(image.Id) || image.RepoTags.Any(used.Contains) || image.RepoDigests.Any(used.Contains);

    [LoggerMessage(Level = LogLevel.Information, Message = "Image {Image} is removed: the image file system is {Percent}% full")]
    private static partial void LogRemoving(ILogger log, string image, int percent);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Images could not be collected: {Reason}")]
    private static partial void LogFailed(ILogger log, string reason);
}
