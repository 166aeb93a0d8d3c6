using System.Security.Cryptography;
using System.Text.Json;

namespace Hardway.ApiServer.Authentication;

/// <summary>
/// A public key that tokens are checked with. Its id is the SHA-256 of its DER form, as upstream names keys, so that tokens
/// of either are found. RSA keys sign with RS256, EC keys by their curve (RFC 7518). Safe for all threads.
/// </summary>
internal sealed class VerificationKey
{
    private readonly AsymmetricAlgorithm _key;
    private readonly Lock _using = new();

    public VerificationKey(AsymmetricAlgorithm key)
    {
        _key = key;
        KeyId = Base64Url.Encode(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));
        Algorithm = key switch
        {
            RSA => "RS256",
            ECDsa { KeySize: 256 } => "ES256",
            ECDsa { KeySize: 384 } => "ES384",
            ECDsa { KeySize: 521 } => "ES512",
            _ => throw new CryptographicException("a token key must be RSA or EC on P-256, P-384 or P-521"),
        };
    }

    public string KeyId { get; }

    public string Algorithm { get; }

    public static HashAlgorithmName HashOf(string algorithm) => algorithm switch
    {
        "ES384" => HashAlgorithmName.SHA384,
        "ES512" => HashAlgorithmName.SHA512,
        _ => HashAlgorithmName.SHA256,
    };

    public bool Verify(Jwt jwt)
    {
        if (jwt.Algorithm != Algorithm)
        {
            return false;
        }

        lock (_using)
        {
            return _key is RSA rsa
                ? rsa.VerifyData(jwt.Signed, jwt.Signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
                : ((ECDsa)_key).VerifyData(jwt.Signed, jwt.Signature, HashOf(Algorithm), DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }

    /// <summary>The key as a member of a JSON web key set (RFC 7517).</summary>
    public void WriteJwk(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("use", "sig");
        writer.WriteString("kty", _key is RSA ? "RSA" : "EC");
        writer.WriteString("kid", KeyId);
        if (_key is RSA rsa)
        {
            var parameters = rsa.ExportParameters(false);
            writer.WriteString("alg", Algorithm);
            writer.WriteString("n", Base64Url.Encode(parameters.Modulus));
            writer.WriteString("e", Base64Url.Encode(parameters.Exponent));
        }
        else
        {
            var parameters = ((ECDsa)_key).ExportParameters(false);
            writer.WriteString("crv", Algorithm switch { "ES256" => "P-256", "ES384" => "P-384", _ => "P-521" });
            writer.WriteString("alg", Algorithm);
            writer.WriteString("x", Base64Url.Encode(parameters.Q.X));
            writer.WriteString("y", Base64Url.Encode(parameters.Q.Y));
        }

        writer.WriteEndObject();
    }
}

/// <summary>The private key that signs what this server gives out. Safe for all threads.</summary>
internal sealed class SigningKey(AsymmetricAlgorithm key)
{
    private readonly Lock _using = new();

    public VerificationKey Public { get; } = new(key);

    public byte[] Sign(byte[] data)
    {
        lock (_using)
        {
            return key is RSA rsa
                ? rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
                : ((ECDsa)key).SignData(data, VerificationKey.HashOf(Public.Algorithm), DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }
}
