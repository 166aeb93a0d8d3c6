using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hardway.ApiServer.Audit;

/// <summary>--audit-log-format=legacy: an event as one line of name="value" pairs.</summary>
internal static class LegacyFormat
{
    /// <param name="line">The event as JSON.</param>
    public static ReadOnlyMemory<byte> Of(ReadOnlyMemory<byte> line)
    {
        using var document = JsonDocument.Parse(line);
        var e = document.RootElement;
        var (user, acting) = (Member(e, "user"), Member(e, "impersonatedUser"));
        var text = new StringBuilder(512).Append(Text(e, "requestReceivedTimestamp")).Append(" AUDIT:");
        Add(text, "id", Text(e, "auditID"));
        Add(text, "stage", Text(e, "stage"));
        Add(text, "ip", Member(e, "sourceIPs") is { ValueKind: JsonValueKind.Array } ips && ips.GetArrayLength() > 0 ? ips[0].GetString()! : "<unknown>");
        Add(text, "method", Text(e, "verb"));
        Add(text, "user", Or(Text(user, "username"), "<none>"));
        Add(text, "groups", Or(List(Member(user, "groups")), "<none>"));
        Add(text, "as", acting is null ? "<self>" : Text(acting, "username"));
        Add(text, "asgroups", acting is null ? "<lookup>" : Or(List(Member(acting, "groups")), "<none>"));
        Add(text, "user-agent", Text(e, "userAgent"));
        Add(text, "namespace", Or(Text(Member(e, "objectRef"), "namespace"), "<none>"));
        Add(text, "uri", Text(e, "requestURI"));
        Add(text, "response", Member(e, "responseStatus") is { } status && status.TryGetProperty("code", out var code) ? code.GetRawText() : "<deferred>");
        return Encoding.UTF8.GetBytes(text.Append('\n').ToString());
    }

    /// <summary>Quotes and control characters are escaped, so that a value can neither end nor begin a pair or a line.</summary>
    private static void Add(StringBuilder text, string name, string value) =>
        text.Append(' ').Append(name).Append("=\"").Append(JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value).Append('"');

    private static JsonElement? Member(JsonElement? element, string name) => element is { ValueKind: JsonValueKind.Object } e && e.TryGetProperty(name, out var value) ? value : null;

    private static string Text(JsonElement? element, string name) => Member(element, name) is { ValueKind: JsonValueKind.String } value ? value.GetString()! : "";

    private static string List(JsonElement? element) => element is { ValueKind: JsonValueKind.Array } list ? string.Join(',', list.EnumerateArray().Select(i => '"' + i.GetString() + '"')) : "";

    private static string Or(string text, string otherwise) => text.Length > 0 ? text : otherwise;
}
