using System.Globalization;
using System.Text;

namespace Hardway.ApiServer.Kubelets;

/// <summary>The head of an HTTP/1.1 answer, read from a raw connection, with nothing of what follows it.</summary>
internal sealed record RawHttpHead(int Status, IReadOnlyDictionary<string, string> Headers)
{
    public string Header(string name) => Headers.TryGetValue(name, out var value) ? value : "";
}

/// <summary>HTTP/1.1 by hand on a connection that will be upgraded. Heads are bounded.</summary>
internal static class RawHttp
{
    private const int MaxHead = 64 * 1024;

    public static async Task SendAsync(Stream connection, string method, Uri target, IEnumerable<KeyValuePair<string, string>> headers, CancellationToken cancellationToken)
    {
        var text = new StringBuilder().Append(method).Append(' ').Append(target.PathAndQuery).Append(" HTTP/1.1\r\nHost: ").Append(target.Authority).Append("\r\n");
        foreach (var (name, value) in headers)
        {
            if (name.AsSpan().IndexOfAny('\r', '\n') < 0 && value.AsSpan().IndexOfAny('\r', '\n') < 0)
            {
                text.Append(name).Append(": ").Append(value).Append("\r\n");
            }
        }

        await connection.WriteAsync(Encoding.ASCII.GetBytes(text.Append("\r\n").ToString()), cancellationToken).ConfigureAwait(false);
        await connection.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <exception cref="IOException">The peer closed, or the head is too large or malformed.</exception>
    public static async Task<RawHttpHead> ReadHeadAsync(Stream connection, CancellationToken cancellationToken)
    {
        // One byte at a time: what follows the head belongs to another protocol. TLS records are buffered below.
        var bytes = new List<byte>(512);
        var one = new byte[1];
        while (bytes.Count < 4 || bytes[^1] != '\n' || bytes[^2] != '\r' || bytes[^3] != '\n' || bytes[^4] != '\r')
        {
            if (bytes.Count >= MaxHead)
            {
                throw new IOException("the head of the HTTP answer is too large");
            }

            if (await connection.ReadAsync(one, cancellationToken).ConfigureAwait(false) == 0)
            {
                throw new IOException("the peer closed the connection before it answered");
            }

            bytes.Add(one[0]);
        }

        return Parse(Encoding.Latin1.GetString([.. bytes]));
    }

    private static RawHttpHead Parse(string text)
    {
        var lines = text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var words = lines[0].Split(' ', 3);
        if (words.Length < 2 || !words[0].StartsWith("HTTP/1.", StringComparison.Ordinal) || !int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var status))
        {
            throw new IOException("the peer answered with something that is no HTTP");
        }

        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines.Skip(1))
        {
            var colon = line.IndexOf(':');
            if (colon > 0)
            {
                headers[line[..colon].Trim()] = line[(colon + 1)..].Trim();
            }
        }

        return new RawHttpHead(status, headers);
    }

    /// <summary>The rest of an answer that was no upgrade: bounded text for an error message.</summary>
    public static async Task<string> ReadBodyAsync(Stream connection, RawHttpHead head, CancellationToken cancellationToken)
    {
        var length = int.TryParse(head.Header("Content-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? Math.Min(n, 8192) : 0;
        var body = new byte[length];
        var read = await connection.ReadAtLeastAsync(body, length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return Encoding.UTF8.GetString(body, 0, read);
    }
}
