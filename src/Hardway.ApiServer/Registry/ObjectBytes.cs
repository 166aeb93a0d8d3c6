using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Hardway.ApiServer.Registry;

/// <summary>
/// An object's encoding in the store has no resourceVersion (the store's revision is it); what is served has. This puts it in, in the place
/// where the encoder would, by copying bytes around it.
/// </summary>
internal static class ObjectBytes
{
    /// <summary>The object with metadata.resourceVersion; one that it has already is replaced.</summary>
    public static byte[] WithResourceVersion(ReadOnlySpan<byte> json, long version)
    {
        var (at, end, comma) = Locate(json);
        Span<byte> field = stackalloc byte[64];
        var length = Field(field, version, comma);
        var result = new byte[json.Length - (end - at) + length];
        json[..at].CopyTo(result);
        field[..length].CopyTo(result.AsSpan(at));
        json[end..].CopyTo(result.AsSpan(at + length));
        return result;
    }

    private static int Field(Span<byte> target, long version, Comma comma)
    {
        var text = version.ToString(CultureInfo.InvariantCulture);
        var field = (comma == Comma.Before ? "," : "") + "\"resourceVersion\":\"" + text + "\"" + (comma == Comma.After ? "," : "");
        return Encoding.ASCII.GetBytes(field, target);
    }

    private enum Comma
    {
        None,
        Before,
        After,
    }

    /// <summary>Where the field stands or belongs: after uid, else after namespace, generateName or name, else first in metadata.</summary>
    private static (int At, int End, Comma Comma) Locate(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Hardway.Api.ApiJson.MaxDepth });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!reader.ValueTextEquals("metadata"u8))
            {
                reader.Skip();
                continue;
            }

            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                break;
            }

            return InMetadata(ref reader);
        }

        throw new FormatException("the object has no metadata");
    }

    private static (int At, int End, Comma Comma) InMetadata(ref Utf8JsonReader reader)
    {
        var start = (int)reader.BytesConsumed;
        var after = -1;
        var empty = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            empty = false;
            var from = (int)reader.TokenStartIndex;
            if (reader.ValueTextEquals("resourceVersion"u8))
            {
                reader.Read();
                return (from, (int)reader.BytesConsumed, Comma.None);
            }

            var early = reader.ValueTextEquals("uid"u8) || reader.ValueTextEquals("namespace"u8) || reader.ValueTextEquals("name"u8) || reader.ValueTextEquals("generateName"u8) || reader.ValueTextEquals("selfLink"u8);
            reader.Read();
            reader.Skip();
            if (!early)
            {
                break;
            }

            after = (int)reader.BytesConsumed;
        }

        return after >= 0 ? (after, after, Comma.Before) : (start, start, empty ? Comma.None : Comma.After);
    }
}
