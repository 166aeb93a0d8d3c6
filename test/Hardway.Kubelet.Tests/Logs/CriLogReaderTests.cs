using System.IO.Pipelines;
using System.Text;
using Hardway.Kubelet.Logs;

namespace Hardway.Kubelet.Tests.Logs;

public sealed class CriLogReaderTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("cri-log-").FullName;
    private readonly string _path;

    public CriLogReaderTests()
    {
        _path = Path.Combine(_directory, "0.log");
        File.WriteAllText(_path,
            """
            2026-01-01T00:00:01.000000001Z stdout F one
            2026-01-01T00:00:02.000000001Z stderr F two
            2026-01-01T00:00:03.000000001Z stdout P thr
            2026-01-01T00:00:03.000000002Z stdout F ee
            2026-01-01T00:00:04.000000001Z stdout F four

            """);
    }

    public void Dispose() => Directory.Delete(_directory, true);

    private async Task<string> ReadAsync(LogOptions options, Func<ValueTask<bool>>? isRunning = null)
    {
        using var memory = new MemoryStream();
        var writer = PipeWriter.Create(memory, new StreamPipeWriterOptions(leaveOpen: true));
        await new CriLogReader(TimeProvider.System).CopyAsync(_path, options, isRunning ?? (() => ValueTask.FromResult(false)), writer, TestContext.Current.CancellationToken);
        await writer.CompleteAsync();
        return Encoding.UTF8.GetString(memory.ToArray());
    }

    [Fact]
    public async Task Everything_is_read_without_the_prefix() => Assert.Equal("one\ntwo\nthree\nfour\n", await ReadAsync(new LogOptions()));

    [Fact]
    public async Task The_last_lines_are_read() => Assert.Equal("ee\nfour\n", await ReadAsync(new LogOptions { TailLines = 2 }));

    [Fact]
    public async Task More_lines_than_there_are_means_all() => Assert.Equal("one\ntwo\nthree\nfour\n", await ReadAsync(new LogOptions { TailLines = 100 }));

    [Fact]
    public async Task No_lines_means_nothing() => Assert.Equal("", await ReadAsync(new LogOptions { TailLines = 0 }));

    [Fact]
    public async Task A_point_in_time_is_kept() =>
        Assert.Equal("three\nfour\n", await ReadAsync(new LogOptions { Since = new DateTimeOffset(2026, 1, 1, 0, 0, 3, TimeSpan.Zero) }));

    [Fact]
    public async Task Timestamps_stand_before_whole_lines() =>
        Assert.Equal("2026-01-01T00:00:03.000000001Z three\n2026-01-01T00:00:04.000000001Z four\n", await ReadAsync(new LogOptions { Timestamps = true, TailLines = 3 }));

    [Fact]
    public async Task Bytes_are_limited() => Assert.Equal("one\ntw", await ReadAsync(new LogOptions { LimitBytes = 6 }));

    [Fact]
    public async Task One_stream_alone_is_read() => Assert.Equal("two\n", await ReadAsync(new LogOptions { Stdout = false }));

    [Fact]
    public async Task Following_goes_on_after_rotation_and_ends_with_the_container()
    {
        var asked = 0;
        var text = await ReadAsync(new LogOptions { Follow = true, TailLines = 1 }, () =>
        {
            if (asked++ == 0)
            {
                File.Move(_path, _path + ".1");
                File.WriteAllText(_path, "2026-01-01T00:00:05.000000001Z stdout F five\n");
                return ValueTask.FromResult(true);
            }
            return ValueTask.FromResult(false);
        });
        Assert.Equal("four\nfive\n", text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("2026-01-01T00:00:01Z")]
    [InlineData("2026-01-01T00:00:01Z stdin F x")]
    public void What_is_not_a_log_line_is_passed_over(string line) => Assert.False(CriLogLine.TryParse(Encoding.UTF8.GetBytes(line), out _));

    [Fact]
    public void A_link_for_collectors_fits_a_file_name()
    {
        Assert.Equal("/var/log/containers/p_ns_c-id.log", LogPaths.Link("p", "ns", "c", "id"));
        Assert.True(Path.GetFileName(LogPaths.Link(new string('p', 253), new string('n', 63), new string('c', 63), new string('1', 64))).Length <= 255);
    }
}
