using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace Hardway.ApiServer.Authentication;

/// <summary>
/// A signed JSON web token taken apart (RFC 7515, compact form). The signature is not checked here, so nothing of it may be believed yet.
/// </summary>
internal sealed class Jwt
{
    private Jwt(string algorithm, string keyId, byte[] signed, byte[] signature, JsonElement claims)
    {
        Algorithm = algorithm;
        KeyId = keyId;
        Signed = signed;
        Signature = signature;
        Claims = claims;
    }

    public string Algorithm { get; }

    public string KeyId { get; }

    /// <summary>What the signature is over.</summary>
    public byte[] Signed { get; }

    public byte[] Signature { get; }

    public JsonElement Claims { get; }

    public string Issuer => Text("iss");

    public string Subject => Text("sub");

    public IReadOnlyList<string> Audiences => !Claims.TryGetProperty("aud", out var aud)
        ? []
        : aud.ValueKind switch
        {
            JsonValueKind.String => [aud.GetString()!],
            JsonValueKind.Array => [.. aud.EnumerateArray().Where(a => a.ValueKind == JsonValueKind.String).Select(a => a.GetString()!)],
            _ => [],
        };

    public string Text(string claim) => Claims.TryGetProperty(claim, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    /// <summary>A time of the token in seconds since 1970, or null.</summary>
    public long? Time(string claim) =>
        Claims.TryGetProperty(claim, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && Math.Abs(seconds) < 1e12 ? (long)seconds : null;

    public static bool TryParse(string token, [NotNullWhen(true)] out Jwt? jwt)
    {
        jwt = null;
        var first = token.IndexOf('.', StringComparison.Ordinal);
        var last = token.LastIndexOf('.');
        if (first <= 0 || last <= first + 1 || token.AsSpan(first + 1, last - first - 1).Contains('.')
            || !Base64Url.TryDecode(token.AsSpan(0, first), out var header)
            || !Base64Url.TryDecode(token.AsSpan(first + 1, last - first - 1), out var payload)
            || !Base64Url.TryDecode(token.AsSpan(last + 1), out var signature))
        {
            return false;
        }

        if (TryObject(header) is not { } head || TryObject(payload) is not { } claims || head.TryGetProperty("crit", out _))
        {
            return false;
        }

        jwt = new Jwt(Text(head, "alg"), Text(head, "kid"), Encoding.ASCII.GetBytes(token, 0, last), signature, claims);
        return true;
    }

    /// <summary>The token over the claims, signed by the key.</summary>
    public static string Sign(SigningKey key, Action<Utf8JsonWriter> claims)
    {
        var header = Write(w =>
        {
            w.WriteString("alg", key.Public.Algorithm);
            w.WriteString("kid", key.Public.KeyId);
        });
        var signed = Base64Url.Encode(header) + "." + Base64Url.Encode(Write(claims));
        return signed + "." + Base64Url.Encode(key.Sign(Encoding.ASCII.GetBytes(signed)));
    }

    private static byte[] Write(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static JsonElement? TryObject(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
