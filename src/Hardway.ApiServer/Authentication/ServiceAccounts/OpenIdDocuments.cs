using System.Buffers;
using System.Text.Json;

namespace Hardway.ApiServer.Authentication.ServiceAccounts;

/// <summary>What others need to check our tokens by themselves: /.well-known/openid-configuration and /openid/v1/jwks. Made once.</summary>
internal sealed class OpenIdDocuments
{
    public const string ConfigurationPath = "/.well-known/openid-configuration";
    public const string KeysPath = "/openid/v1/jwks";
    public const string ConfigurationType = "application/json";
    public const string KeysType = "application/jwk-set+json";

    public OpenIdDocuments(string issuer, string keysUri, IReadOnlyList<VerificationKey> keys)
    {
        Configuration = Write(w =>
        {
            w.WriteString("issuer", issuer);
            w.WriteString("jwks_uri", keysUri);
            WriteStrings(w, "response_types_supported", ["id_token"]);
            WriteStrings(w, "subject_types_supported", ["public"]);
            WriteStrings(w, "id_token_signing_alg_values_supported", keys.Select(k => k.Algorithm).Distinct().Order(StringComparer.Ordinal));
        });
        Keys = Write(w =>
        {
            w.WriteStartArray("keys");
            foreach (var key in keys)
            {
                key.WriteJwk(w);
            }

            w.WriteEndArray();
        });
    }

    public byte[] Configuration { get; }

    public byte[] Keys { get; }

    private static void WriteStrings(Utf8JsonWriter writer, string name, IEnumerable<string> values)
    {
        writer.WriteStartArray(name);
        foreach (var value in values)
        {
            writer.WriteStringValue(value);
        }

        writer.WriteEndArray();
    }

    private static byte[] Write(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
