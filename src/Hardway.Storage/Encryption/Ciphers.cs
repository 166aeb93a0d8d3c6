using System.Security.Cryptography;
using System.Text;

namespace Hardway.Storage.Encryption;

/// <summary>One cipher with one key: the bytes behind the prefix.</summary>
internal interface ICipher
{
    byte[] Seal(ReadOnlySpan<byte> plain, string key);

    /// <summary>Throws <see cref="CryptographicException"/> when it cannot be opened.</summary>
    byte[] Open(ReadOnlySpan<byte> sealedValue, string key);
}

/// <summary>IV (16), then AES-CBC with PKCS#7 padding. Not authenticated: upstream's format, kept for what is stored in it.</summary>
internal sealed class AesCbcCipher(byte[] secret) : ICipher
{
    private const int IvLength = 16;

    public byte[] Seal(ReadOnlySpan<byte> plain, string key)
    {
        using var aes = Aes.Create();
        aes.Key = secret;
        var iv = RandomNumberGenerator.GetBytes(IvLength);
        return [.. iv, .. aes.EncryptCbc(plain, iv)];
    }

    public byte[] Open(ReadOnlySpan<byte> sealedValue, string key)
    {
        if (sealedValue.Length < IvLength)
        {
            throw new CryptographicException("shorter than its initialisation vector");
        }

        using var aes = Aes.Create();
        aes.Key = secret;
        return aes.DecryptCbc(sealedValue[IvLength..], sealedValue[..IvLength]);
    }
}

/// <summary>Nonce (12), AES-GCM ciphertext, tag (16); bound to the key in the store as associated data.</summary>
internal sealed class AesGcmCipher(byte[] secret) : ICipher
{
    private const int NonceLength = 12;
    private const int TagLength = 16;

    public byte[] Seal(ReadOnlySpan<byte> plain, string key)
    {
        var result = new byte[NonceLength + plain.Length + TagLength];
        RandomNumberGenerator.Fill(result.AsSpan(0, NonceLength));
        using var aes = new AesGcm(secret, TagLength);
        aes.Encrypt(result.AsSpan(0, NonceLength), plain, result.AsSpan(NonceLength, plain.Length), result.AsSpan(NonceLength + plain.Length), Encoding.UTF8.GetBytes(key));
        return result;
    }

    public byte[] Open(ReadOnlySpan<byte> sealedValue, string key)
    {
        var length = sealedValue.Length - NonceLength - TagLength;
        if (length < 0)
        {
            throw new CryptographicException("shorter than its nonce and tag");
        }

        var plain = new byte[length];
        using var aes = new AesGcm(secret, TagLength);
        aes.Decrypt(sealedValue[..NonceLength], sealedValue.Slice(NonceLength, length), sealedValue[(NonceLength + length)..], plain, Encoding.UTF8.GetBytes(key));
        return plain;
    }
}

/// <summary>Nonce (24), then NaCl's secretbox.</summary>
internal sealed class SecretboxCipher(byte[] secret) : ICipher
{
    public byte[] Seal(ReadOnlySpan<byte> plain, string key)
    {
        var nonce = RandomNumberGenerator.GetBytes(Secretbox.NonceLength);
        return [.. nonce, .. Secretbox.Seal(secret, nonce, plain)];
    }

    public byte[] Open(ReadOnlySpan<byte> sealedValue, string key) =>
        sealedValue.Length < Secretbox.NonceLength
            ? throw new CryptographicException("shorter than its nonce")
            : Secretbox.Open(secret, sealedValue[..Secretbox.NonceLength], sealedValue[Secretbox.NonceLength..]);
}
