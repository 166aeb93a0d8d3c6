using System.Globalization;
using System.IO.Compression;
using Hardway.Grpc;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Cri;
using Microsoft.Extensions.Logging;

namespace Hardway.Kubelet.Housekeeping;

/// <summary>
/// Keeps the logs of running containers within bounds: a log that is too large is renamed with a time, the runtime opens a new one, and
/// of the older ones all but the newest are compressed and only so many kept.
/// </summary>
internal sealed partial class LogRotation(RuntimeClient runtime, KubeletConfig config, TimeProvider time, ILogger log)
{
    private const string Compressed = ".gz", Temporary = ".tmp";

    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(config.ContainerLogMonitorInterval, time);
        while (await timer.WaitForNextTickAsync(stop))
        {
            try
            {
                foreach (var container in await runtime.ListContainersAsync(new ContainerFilter { State = new ContainerStateValue { State = ContainerState.ContainerRunning } }, stop))
                {
                    var path = (await runtime.ContainerStatusAsync(container.Id, stop)).LogPath;
                    if (path.Length > 0 && File.Exists(path) && new FileInfo(path).Length > config.ContainerLogMaxSizeBytes)
                        await RotateAsync(container.Id, path, stop);
                }
            }
            catch (Exception e) when (e is IOException or GrpcException)
            {
                LogFailed(log, e.Message);
            }
        }
    }

    internal async Task RotateAsync(string containerId, string path, CancellationToken stop)
    {
        await TidyAsync(path, stop);
        var rotated = $"{path}.{time.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}";
        File.Move(path, rotated);
        try
        {
            await runtime.ReopenContainerLogAsync(containerId, stop);
        }
        catch (GrpcException)
        {
            // The container goes on writing to the file it has: it gets its name back.
            File.Move(rotated, path);
            throw;
        }
    }

    /// <summary>Before another is added: compresses what is not, and keeps as many as leave room for the newest and the current one.</summary>
    internal async Task TidyAsync(string path, CancellationToken stop)
    {
        var directory = Path.GetDirectoryName(path)!;
        var name = Path.GetFileName(path);
        foreach (var half in Directory.GetFiles(directory, name + ".*" + Temporary))
            File.Delete(half);
        var rotated = Directory.GetFiles(directory, name + ".*").Order(StringComparer.Ordinal).ToList();
        while (rotated.Count > config.ContainerLogMaxFiles - 2)
        {
            File.Delete(rotated[0]);
            rotated.RemoveAt(0);
        }
        foreach (var plain in rotated.Where(r => !r.EndsWith(Compressed, StringComparison.Ordinal)))
            await CompressAsync(plain, stop);
    }

    private static async Task CompressAsync(string path, CancellationToken stop)
    {
        var temporary = path + Compressed + Temporary;
        await using (var source = File.OpenRead(path))
        await using (var target = new GZipStream(File.Create(temporary), CompressionLevel.Fastest))
            await source.CopyToAsync(target, stop);
        File.Move(temporary, path + Compressed, true);
        File.Delete(path);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Logs of containers could not be rotated: {Reason}")]
    private static partial void LogFailed(ILogger log, string reason);
}
