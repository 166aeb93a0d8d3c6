using System.Globalization;
using System.Text;

namespace Hardway.Kubelet.Logs;

/// <summary>
/// One line as the runtime writes it: <c>2026-01-02T03:04:05.000000006Z stdout F text</c>. The tag is F for a whole line and P
/// for a piece of one; the content of a whole line ends with its newline.
/// </summary>
internal readonly ref struct CriLogLine
{
    private CriLogLine(ReadOnlySpan<byte> timestamp, bool stderr, bool partial, ReadOnlySpan<byte> content)
    {
        Timestamp = timestamp;
        IsStderr = stderr;
        IsPartial = partial;
        Content = content;
    }

    public ReadOnlySpan<byte> Timestamp { get; }

    public bool IsStderr { get; }

    public bool IsPartial { get; }

    /// <summary>Without the newline.</summary>
    public ReadOnlySpan<byte> Content { get; }

    public DateTimeOffset? Time =>
        DateTimeOffset.TryParse(Encoding.ASCII.GetString(Timestamp), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    public static bool TryParse(ReadOnlySpan<byte> line, out CriLogLine parsed)
    {
        parsed = default;
        if (line.EndsWith("\n"u8))
            line = line[..^1];
        if (!TakeWord(ref line, out var timestamp) || !TakeWord(ref line, out var stream))
            return false;
        var space = line.IndexOf((byte)' ');
        var tags = space < 0 ? line : line[..space];
        var content = space < 0 ? default : line[(space + 1)..];
        var stderr = stream.SequenceEqual("stderr"u8);
        if (!stderr && !stream.SequenceEqual("stdout"u8))
            return false;
        var firstTag = tags.IndexOf((byte)':') is >= 0 and var colon ? tags[..colon] : tags;
        parsed = new CriLogLine(timestamp, stderr, firstTag.SequenceEqual("P"u8), content);
        return true;
    }

    private static bool TakeWord(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> word)
    {
        var space = rest.IndexOf((byte)' ');
        word = space < 0 ? default : rest[..space];
        rest = space < 0 ? rest : rest[(space + 1)..];
        return space > 0;
    }
}
