using System.Globalization;
using System.Text;

namespace Hardway.Oracle.Tests.Http;

/// <summary>Reads HTTP/1.1 answers from a stream: lines, and bodies by length, by chunks or to the end.</summary>
internal sealed class HttpInput(Stream stream)
{
    private const int LongestLine = 64 << 10;
    private readonly byte[] _buffer = new byte[16 << 10];
    private int _at;
    private int _end;

    public async Task<HttpAnswer> ReadAsync(bool hasBody, Action? onHeaders, CancellationToken cancellationToken)
    {
        var status = int.Parse((await ReadLineAsync(cancellationToken)).Split(' ')[1], CultureInfo.InvariantCulture);
        var headers = new List<KeyValuePair<string, string>>();
        while (await ReadLineAsync(cancellationToken) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers.Add(KeyValuePair.Create(line[..colon], line[(colon + 1)..].Trim()));
        }

        onHeaders?.Invoke();
        var answer = new HttpAnswer(status, headers, []);
        return hasBody ? answer with { Body = await ReadBodyAsync(answer, cancellationToken) } : answer;
    }

    private async Task<byte[]> ReadBodyAsync(HttpAnswer answer, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        if (answer.Status is < 200 or 204 or 304) return [];
        if (answer.Header("Transfer-Encoding") is "chunked")
        {
            while (int.Parse((await ReadLineAsync(cancellationToken)).Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture) is > 0 and var size)
            {
                await CopyAsync(body, size, cancellationToken);
                await ReadLineAsync(cancellationToken);
            }

            await ReadLineAsync(cancellationToken);
        }
        else if (answer.Header("Content-Length") is { } length)
        {
            await CopyAsync(body, long.Parse(length, CultureInfo.InvariantCulture), cancellationToken);
        }
        else
        {
            await CopyAsync(body, null, cancellationToken);
        }

        return body.ToArray();
    }

    private async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        while (line.Length < LongestLine)
        {
            if (_at == _end && !await FillAsync(cancellationToken)) throw new EndOfStreamException("the connection was closed");
            var c = (char)_buffer[_at++];
            if (c == '\n') return line.ToString().TrimEnd('\r');
            line.Append(c);
        }

        throw new InvalidDataException("a line of the answer's head is too long");
    }

    private async Task CopyAsync(MemoryStream body, long? length, CancellationToken cancellationToken)
    {
        while (length is null or > 0)
        {
            if (_at == _end && !await FillAsync(cancellationToken))
            {
                if (length is null) return;
                throw new EndOfStreamException("the connection was closed in the middle of a body");
            }

            var count = (int)Math.Min(_end - _at, length ?? int.MaxValue);
            body.Write(_buffer, _at, count);
            _at += count;
            length -= count;
        }
    }

    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        _at = 0;
        _end = await stream.ReadAsync(_buffer, cancellationToken);
        return _end > 0;
    }
}
