using System.Security.Cryptography;
using System.Text.Json;

namespace Hardway.ApiServer.Authentication.OpenIdConnect;

/// <summary>A public key of an issuer's key set (RFC 7517), for signatures of RFC 7518. Safe for all threads.</summary>
internal sealed class OidcKey
{
    private readonly RSA? _rsa;
    private readonly ECDsa? _ec;
    private readonly Lock _using = new();

    private OidcKey(string id, RSA? rsa, ECDsa? ec) => (Id, _rsa, _ec) = (id, rsa, ec);

    public static IReadOnlyList<string> Algorithms { get; } = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    public string Id { get; }

    /// <summary>The keys of a set; those of other kinds or for other uses are left out.</summary>
    /// <exception cref="JsonException">It is no key set.</exception>
    public static IReadOnlyList<OidcKey> ReadSet(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
        {
            throw new JsonException("no key set");
        }

        return [.. keys.EnumerateArray().Take(256).Select(TryRead).OfType<OidcKey>()];
    }

    public bool Verify(Jwt jwt)
    {
        var hash = jwt.Algorithm is { Length: 5 } algorithm ? algorithm[2..] switch { "384" => HashAlgorithmName.SHA384, "512" => HashAlgorithmName.SHA512, _ => HashAlgorithmName.SHA256 } : HashAlgorithmName.SHA256;
        lock (_using)
        {
            return jwt.Algorithm switch
            {
                "RS256" or "RS384" or "RS512" => _rsa?.VerifyData(jwt.Signed, jwt.Signature, hash, RSASignaturePadding.Pkcs1) == true,
                "PS256" or "PS384" or "PS512" => _rsa?.VerifyData(jwt.Signed, jwt.Signature, hash, RSASignaturePadding.Pss) == true,
                "ES256" or "ES384" or "ES512" => _ec is not null && _ec.KeySize == (jwt.Algorithm switch { "ES256" => 256, "ES384" => 384, _ => 521 })
                    && _ec.VerifyData(jwt.Signed, jwt.Signature, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
                _ => false,
            };
        }
    }

    private static OidcKey? TryRead(JsonElement key)
    {
        if (key.ValueKind != JsonValueKind.Object || Text(key, "use") is not ("" or "sig"))
        {
            return null;
        }

        try
        {
            return Text(key, "kty") switch
            {
                "RSA" => new OidcKey(Text(key, "kid"), RSA.Create(new RSAParameters { Modulus = Bytes(key, "n"), Exponent = Bytes(key, "e") }), null),
                "EC" when Curve(Text(key, "crv")) is { } curve => new OidcKey(Text(key, "kid"), null, ECDsa.Create(new ECParameters { Curve = curve, Q = new ECPoint { X = Bytes(key, "x"), Y = Bytes(key, "y") } })),
                _ => null,
            };
        }
        catch (CryptographicException)
        {
            // A key that is none verifies nothing.
            return null;
        }
    }

    private static ECCurve? Curve(string name) => name switch
    {
        "P-256" => ECCurve.NamedCurves.nistP256,
        "P-384" => ECCurve.NamedCurves.nistP384,
        "P-521" => ECCurve.NamedCurves.nistP521,
        _ => null,
    };

    private static byte[] Bytes(JsonElement key, string name) => Base64Url.TryDecode(Text(key, name), out var bytes) ? bytes : throw new CryptographicException(name);

    private static string Text(JsonElement key, string name) => key.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
