using System.Buffers;
using System.IO.Pipelines;

namespace Hardway.Kubelet.Logs;

/// <summary>Takes raw lines, keeps those that were asked for and writes them without the runtime's prefix.</summary>
internal sealed class LogSink(LogOptions options, PipeWriter output)
{
    private long _left = options.LimitBytes ?? long.MaxValue;
    private bool _sincePassed = options.Since == null;
    private bool _continuesLine;

    /// <summary>Returns how many bytes were whole lines.</summary>
    public int Take(ReadOnlySpan<byte> bytes)
    {
        var used = 0;
        while (_left > 0 && bytes[used..].IndexOf((byte)'\n') is >= 0 and var newline)
        {
            WriteLine(bytes.Slice(used, newline + 1));
            used += newline + 1;
        }
        return used;
    }

    public async ValueTask<bool> FlushAsync(CancellationToken cancellationToken)
    {
        var result = await output.FlushAsync(cancellationToken);
        return !result.IsCompleted && _left > 0;
    }

    private void WriteLine(ReadOnlySpan<byte> line)
    {
        if (!CriLogLine.TryParse(line, out var parsed))
            return;
        if (!(parsed.IsStderr ? options.Stderr : options.Stdout) || !IsRecent(parsed))
            return;
        if (options.Timestamps && !_continuesLine)
        {
            Write(parsed.Timestamp);
            Write(" "u8);
        }
        Write(parsed.Content);
        if (!parsed.IsPartial)
            Write("\n"u8);
        _continuesLine = parsed.IsPartial;
    }

    private bool IsRecent(in CriLogLine line) => _sincePassed || (_sincePassed = line.Time is not { } at || at >= options.Since);

    private void Write(ReadOnlySpan<byte> bytes)
    {
        var count = (int)Math.Min(bytes.Length, _left);
        output.Write(bytes[..count]);
        _left -= count;
    }
}
