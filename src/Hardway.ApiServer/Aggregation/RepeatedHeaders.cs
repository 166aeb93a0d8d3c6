using System.Text;

namespace Hardway.ApiServer.Aggregation;

/// <summary>
/// Sends several values of one header as several lines. HttpClient writes them in one, with commas between them, and then a value with a comma in it reads
/// as two: a group "a,system:masters" would make its member an administrator of the other server. So the values are joined with a character that
/// no value has, and the encoding that the handler asks for writes it as the end of a line and the name anew. HTTP/1.1 only.
/// </summary>
internal static class RepeatedHeaders
{
    /// <summary>Half of a surrogate pair: no text has it alone.</summary>
    private const char Next = '\uD800';

    /// <summary>For <see cref="SocketsHttpHandler.RequestHeaderEncodingSelector"/>: of what <see cref="Join"/> made. Other headers are ASCII.</summary>
    public static Encoding? Select(string name, HttpRequestMessage request) =>
        name.StartsWith("X-Remote-", StringComparison.OrdinalIgnoreCase) ? new LineEncoding(name) : null;

    public static string Join(IEnumerable<string> values) => string.Join(Next, values.Select(OneLine));

    /// <summary>A value cannot end its line: what would is a blank, as Go's client has it.</summary>
    public static string OneLine(string value) => value.AsSpan().ContainsAny('\r', '\n', '\0') || value.Contains(Next)
        ? string.Create(value.Length, value, static (to, from) =>
        {
            for (var i = 0; i < to.Length; i++)
            {
                to[i] = from[i] is '\r' or '\n' or '\0' or Next ? ' ' : from[i];
            }
        })
        : value;

    /// <summary>UTF-8, with the header's name at the beginning of each further line.</summary>
    private sealed class LineEncoding(string name) : Encoding
    {
        private readonly string _next = "\r\n" + name + ": ";

        public override int GetByteCount(char[] chars, int index, int count) => UTF8.GetByteCount(Lines(chars.AsSpan(index, count)));

        public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
            UTF8.GetBytes(Lines(chars.AsSpan(charIndex, charCount)), bytes.AsSpan(byteIndex));

        public override int GetCharCount(byte[] bytes, int index, int count) => UTF8.GetCharCount(bytes, index, count);

        public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) => UTF8.GetChars(bytes, byteIndex, byteCount, chars, charIndex);

        public override int GetMaxByteCount(int charCount) => UTF8.GetMaxByteCount(charCount) + (charCount * _next.Length);

        public override int GetMaxCharCount(int byteCount) => UTF8.GetMaxCharCount(byteCount);

        private string Lines(ReadOnlySpan<char> text) => text.ToString().Replace(Next.ToString(), _next, StringComparison.Ordinal);
    }
}
