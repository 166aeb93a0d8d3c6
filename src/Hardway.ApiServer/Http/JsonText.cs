using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Hardway.Api;

namespace Hardway.ApiServer.Http;

/// <summary>JSON for people's eyes.</summary>
internal static class JsonText
{
    private static readonly JsonWriterOptions s_indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = ApiJson.MaxDepth + 64 };

    public static byte[] Indent(ReadOnlySpan<byte> json)
    {
        var buffer = new ArrayBufferWriter<byte>(json.Length * 2);
        using (var writer = new Utf8JsonWriter(buffer, s_indented))
        {
            ApiJson.WriteTree(writer, ApiJson.DeserializeTree(json));
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }
}
