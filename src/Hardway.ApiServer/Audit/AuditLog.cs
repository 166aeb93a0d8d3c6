using System.Globalization;
using System.IO.Compression;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Hardway.ApiServer.Audit;

/// <summary>
/// Lines to a file that is begun anew at a size; old ones are named by their time and removed by number and age. Requests put lines into
/// a bounded queue, one task writes; when the disk is slower than the requests, what finds no room
/// is counted and reported.
/// </summary>
internal sealed partial class AuditLog : IAuditSink
{
    private const int Most = 10_000;
    private const long DefaultMegabytes = 100;
    private const string TimeForm = "yyyy-MM-dd'T'HH-mm-ss.fff";

    private readonly Channel<ReadOnlyMemory<byte>> _lines = Channel.CreateBounded<ReadOnlyMemory<byte>>(new BoundedChannelOptions(Most) { SingleReader = true });
    private readonly AuditOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Task _writing;
    private Stream _file;
    private long _size;
    private long _lost;

    public AuditLog(AuditOptions options, TimeProvider time, ILogger log)
    {
        _options = options;
        _time = time;
        _log = log;
        _file = Open();
        _writing = Task.Run(WriteAllAsync);
    }

    /// <summary>Lines that found no room.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    public void Write(ReadOnlyMemory<byte> line)
    {
        if (!_lines.Writer.TryWrite(line) && Interlocked.Increment(ref _lost) is var lost && (lost & (lost - 1)) == 0)
        {
            LogLost(_log, lost);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writing.ConfigureAwait(false);
        await _file.DisposeAsync().ConfigureAwait(false);
    }

    private async Task WriteAllAsync()
    {
        while (await _lines.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            try
            {
                while (_lines.Reader.TryRead(out var next))
                {
                    var line = _options.IsLegacy ? LegacyFormat.Of(next) : next;
                    await RotateAsync(line.Length).ConfigureAwait(false);
                    await _file.WriteAsync(line).ConfigureAwait(false);
                    _size += line.Length;
                }

                await _file.FlushAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                LogFailed(_log, _options.LogPath, e.Message);
            }
        }
    }

    private Stream Open()
    {
        if (_options.LogPath == "-")
        {
            return Console.OpenStandardOutput();
        }

        if (Path.GetDirectoryName(Path.GetFullPath(_options.LogPath)) is { } folder)
        {
            Directory.CreateDirectory(folder);
        }

        var file = new FileStream(_options.LogPath, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite,
            BufferSize = 64 << 10,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        _size = file.Length;
        return file;
    }

    private async ValueTask RotateAsync(int more)
    {
        var most = (_options.MaxMegabytes > 0 ? _options.MaxMegabytes : DefaultMegabytes) << 20;
        if (_options.LogPath == "-" || _size == 0 || _size + more <= most)
        {
            return;
        }

        await _file.DisposeAsync().ConfigureAwait(false);
        var old = OldName(_time.GetUtcNow());
        File.Move(_options.LogPath, old, overwrite: true);
        _file = Open();
        if (_options.Compress)
        {
            await CompressAsync(old).ConfigureAwait(false);
        }

        RemoveOld();
    }

    /// <summary>DIR/audit-TIME.log for DIR/audit.log.</summary>
    private string OldName(DateTimeOffset time)
    {
        var full = Path.GetFullPath(_options.LogPath);
        return Path.Combine(Path.GetDirectoryName(full)!, $"{Path.GetFileNameWithoutExtension(full)}-{time.UtcDateTime.ToString(TimeForm, CultureInfo.InvariantCulture)}{Path.GetExtension(full)}");
    }

    private static async Task CompressAsync(string path)
    {
        await using (var from = File.OpenRead(path))
        await using (var to = new GZipStream(new FileStream(path + ".gz", new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }), CompressionLevel.Fastest))
        {
            await from.CopyToAsync(to).ConfigureAwait(false);
        }

        File.Delete(path);
    }

    private void RemoveOld()
    {
        var number = 0;
        foreach (var (path, at) in OldFiles().OrderByDescending(f => f.At))
        {
            number++;
            var isTooMany = _options.MaxBackups > 0 && number > _options.MaxBackups;
            var isTooOld = _options.MaxAgeDays > 0 && _time.GetUtcNow() - at > TimeSpan.FromDays(_options.MaxAgeDays);
            if (isTooMany || isTooOld)
            {
                File.Delete(path);
            }
        }
    }

    private IEnumerable<(string Path, DateTimeOffset At)> OldFiles()
    {
        var full = Path.GetFullPath(_options.LogPath);
        var start = Path.GetFileNameWithoutExtension(full) + "-";
        foreach (var path in Directory.EnumerateFiles(Path.GetDirectoryName(full)!, start + "*"))
        {
            var name = Path.GetFileName(path)[start.Length..];
            name = name.EndsWith(".gz", StringComparison.Ordinal) ? name[..^3] : name;
            var extension = Path.GetExtension(full);
            if (name.EndsWith(extension, StringComparison.Ordinal)
                && DateTimeOffset.TryParseExact(name[..^extension.Length], TimeForm, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at))
            {
                yield return (path, at);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "audit log: {Lost} lines found no room since the start; the disk is slower than the requests")]
    private static partial void LogLost(ILogger logger, long lost);

    [LoggerMessage(Level = LogLevel.Error, Message = "audit log {Path}: {Error}")]
    private static partial void LogFailed(ILogger logger, string path, string error);
}
