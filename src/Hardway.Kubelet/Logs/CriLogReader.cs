using System.Buffers;
using System.IO.Pipelines;

namespace Hardway.Kubelet.Logs;

/// <summary>
/// Copies a container's log file to a reader: from the last lines or a point in time, with or without timestamps, up to a number
/// of bytes, and while it grows. Follows over rotation (the path is another file, or the file became shorter) and ends when the
/// container has stopped and everything was read.
/// </summary>
internal sealed class CriLogReader(TimeProvider time)
{
    private const int ChunkSize = 64 << 10, MaxLineBytes = 1 << 20;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);

    /// <param name="path">The log file, or a symbolic link to it.</param>
    /// <param name="isRunning">Asked when the end is reached while following.</param>
    public async Task CopyAsync(string path, LogOptions options, Func<ValueTask<bool>> isRunning, PipeWriter output, CancellationToken cancellationToken)
    {
        var sink = new LogSink(options, output);
        var file = Open(path);
        try
        {
            if (options.TailLines is { } tail)
                file.Position = await FindTailAsync(file, tail, cancellationToken);
            if (options.TailLines == 0 && !options.Follow)
                return;
            while (true)
            {
                if (!await CopyToEndAsync(file, sink, cancellationToken))
                    return;
                if (!options.Follow)
                    return;
                var running = await isRunning();
                if (!await CopyToEndAsync(file, sink, cancellationToken))
                    return;
                if (HasRotated(path, file))
                {
                    await file.DisposeAsync();
                    file = Open(path);
                    continue;
                }
                if (!running)
                    return;
                await Task.Delay(PollInterval, time, cancellationToken);
            }
        }
        finally
        {
            await file.DisposeAsync();
        }
    }

    private static FileStream Open(string path) =>
        new(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0, Options = FileOptions.Asynchronous });

    private static bool HasRotated(string path, FileStream open)
    {
        if (!File.Exists(path))
            return false;
        if (new FileInfo(path).ResolveLinkTarget(true)?.FullName is { } target)
            path = target;
        // The kernel has no name for an open file but this one.
        var opened = new FileInfo($"/proc/self/fd/{open.SafeFileHandle.DangerousGetHandle()}").LinkTarget;
        return opened != Path.GetFullPath(path) || open.Length < open.Position;
    }

    /// <summary>Copies whole lines; an unfinished last line is left for the next time. False: the reader has had enough.</summary>
    private static async Task<bool> CopyToEndAsync(FileStream file, LogSink sink, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkSize);
        var filled = 0;
        try
        {
            while (true)
            {
                if (filled == buffer.Length)
                    buffer = Grow(buffer);
                var read = await file.ReadAsync(buffer.AsMemory(filled), cancellationToken);
                if (read == 0)
                {
                    file.Position -= filled;
                    await sink.FlushAsync(cancellationToken);
                    return true;
                }
                filled += read;
                var used = sink.Take(buffer.AsSpan(0, filled));
                buffer.AsSpan(used, filled - used).CopyTo(buffer);
                filled -= used;
                if (!await sink.FlushAsync(cancellationToken))
                    return false;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static byte[] Grow(byte[] buffer)
    {
        if (buffer.Length >= MaxLineBytes)
            throw new InvalidDataException($"a log line is longer than {MaxLineBytes} bytes");
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }

    /// <summary>Where the last so many lines begin, read backwards in chunks.</summary>
    internal static async Task<long> FindTailAsync(FileStream file, long lines, CancellationToken cancellationToken)
    {
        var end = file.Length;
        if (lines <= 0)
            return end;
        var buffer = new byte[ChunkSize];
        var remaining = lines;
        var position = end;
        while (position > 0)
        {
            var size = (int)Math.Min(ChunkSize, position);
            position -= size;
            file.Position = position;
            await file.ReadExactlyAsync(buffer.AsMemory(0, size), cancellationToken);
            for (var i = size - 1; i >= 0; i--)
            {
                // The newline that ends the file ends the last line; it does not begin another.
                if (buffer[i] == (byte)'\n' && position + i != end - 1 && --remaining == 0)
                    return position + i + 1;
            }
        }
        return 0;
    }
}
