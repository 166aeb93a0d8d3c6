using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Hardway.Pki;

/// <summary>Reads and writes certificates and keys as PEM. Files are bounded; keys are written with mode 0600, whole or not at all.</summary>
public static class PemFiles
{
    private const long _largest = 4 << 20;
    private const UnixFileMode _private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode _public = _private | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>The certificates of a PEM file, in order: the first is the leaf where the file is a chain.</summary>
    public static X509Certificate2Collection ReadCertificates(string path)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(ReadText(path));
        }
        catch (CryptographicException e)
        {
            throw new CryptographicException($"{path}: {e.Message}", e);
        }

        return certificates.Count > 0 ? certificates : throw new CryptographicException($"{path}: holds no CERTIFICATE block");
    }

    /// <summary>
    /// The private key of a PEM text: the first of PRIVATE KEY (PKCS#8), EC PRIVATE KEY (SEC1) and RSA PRIVATE KEY (PKCS#1).
    /// Other blocks, such as EC PARAMETERS, are passed over.
    /// </summary>
    public static AsymmetricAlgorithm ParsePrivateKey(string pem)
    {
        var rest = pem.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            var block = rest[fields.Location];
            switch (rest[fields.Label])
            {
                case "EC PRIVATE KEY":
                    return Import(ECDsa.Create(), block);
                case "RSA PRIVATE KEY":
                    return Import(RSA.Create(), block);
                case "PRIVATE KEY":
                    return ImportEither(block);
                default:
                    rest = rest[fields.Location.End..];
                    break;
            }
        }

        throw new CryptographicException("holds no private key (PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY)");
    }

    public static AsymmetricAlgorithm ReadPrivateKey(string path)
    {
        try
        {
            return ParsePrivateKey(ReadText(path));
        }
        catch (CryptographicException e)
        {
            throw new CryptographicException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>
    /// The public keys of a PEM file: of PUBLIC KEY blocks, of certificates, and of private keys. Service account verification keys
    /// (--service-account-key-file) may be any of these.
    /// </summary>
    public static IReadOnlyList<AsymmetricAlgorithm> ReadPublicKeys(string path)
    {
        var keys = new List<AsymmetricAlgorithm>();
        var text = ReadText(path);
        var rest = text.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            var block = rest[fields.Location];
            switch (rest[fields.Label])
            {
                case "CERTIFICATE":
                    using (var certificate = X509Certificate2.CreateFromPem(block))
                    {
                        keys.Add((AsymmetricAlgorithm?)certificate.GetRSAPublicKey() ?? certificate.GetECDsaPublicKey()
                            ?? throw new CryptographicException($"{path}: the certificate's key is neither RSA nor EC"));
                    }

                    break;
                case "PUBLIC KEY":
                    keys.Add(ImportEither(block));
                    break;
                case "RSA PUBLIC KEY":
                    keys.Add(Import(RSA.Create(), block));
                    break;
                case "PRIVATE KEY" or "EC PRIVATE KEY" or "RSA PRIVATE KEY":
                    using (var key = ParsePrivateKey(block.ToString()))
                    {
                        keys.Add(ImportEither(key.ExportSubjectPublicKeyInfoPem()));
                    }

                    break;
            }

            rest = rest[fields.Location.End..];
        }

        return keys.Count > 0 ? keys : throw new CryptographicException($"{path}: holds no public key and no certificate");
    }

    /// <summary>A certificate with its private key, ready for a TLS client or server. The chain's other certificates are left out.</summary>
    public static X509Certificate2 ReadWithKey(string certificatePath, string keyPath)
        => Pair(ReadCertificates(certificatePath)[0], ReadPrivateKey(keyPath), $"{keyPath}: the key does not belong to the certificate in {certificatePath}");

    /// <summary>The same from PEM texts, as a kubeconfig holds them.</summary>
    public static X509Certificate2 ParseWithKey(string certificatePem, string keyPem)
        => Pair(X509Certificate2.CreateFromPem(certificatePem), ParsePrivateKey(keyPem), "the key does not belong to the certificate");

    public static void WriteCertificate(string path, string pem) => Write(path, pem, _public);

    public static void WriteKey(string path, string pem) => Write(path, pem, _private);

    internal static string ReadText(string path)
    {
        var info = new FileInfo(path);
        if (info.Exists && info.Length > _largest)
        {
            throw new CryptographicException($"{path}: {info.Length} bytes is too large for a PEM file");
        }

        return File.ReadAllText(path, Encoding.ASCII);
    }

    internal static X509Certificate2 Pair(X509Certificate2 certificate, AsymmetricAlgorithm key, string mismatch)
    {
        using (certificate)
        using (key)
        {
            try
            {
                return key is RSA rsa ? certificate.CopyWithPrivateKey(rsa) : certificate.CopyWithPrivateKey((ECDsa)key);
            }
            catch (ArgumentException e)
            {
                throw new CryptographicException(mismatch, e);
            }
        }
    }

    private static void Write(string path, string text, UnixFileMode mode)
    {
        var temporary = $"{path}.{Environment.ProcessId}.new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = mode };
        using (var stream = new FileStream(temporary, options))
        {
            File.SetUnixFileMode(stream.SafeFileHandle, mode);
            stream.Write(Encoding.ASCII.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    private static AsymmetricAlgorithm ImportEither(ReadOnlySpan<char> block)
    {
        try
        {
            return Import(ECDsa.Create(), block);
        }
        catch (CryptographicException)
        {
            return Import(RSA.Create(), block);
        }
    }

    private static AsymmetricAlgorithm Import(AsymmetricAlgorithm key, ReadOnlySpan<char> block)
    {
        try
        {
            key.ImportFromPem(block);
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }
}
