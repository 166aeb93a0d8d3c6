using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Hardway.Pki;

/// <summary>
/// A certificate with key and chain from two files, read again when they change, so that a renewed certificate needs no restart.
/// The files are looked at when someone asks, at most every ten seconds. While the two files do not fit each other (one is written before
/// the other), the last good pair stays. Safe for use from several threads; a pair handed out is never disposed, as connections may use it.
/// </summary>
public sealed class CertificateSource
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(10);

    private readonly string _certificatePath;
    private readonly string _keyPath;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private (DateTime Certificate, DateTime Key) _seen;
    private long _lookedAt;
    private SslStreamCertificateContext _context;

    /// <summary>Reads both files; throws when they cannot be read or do not fit.</summary>
    public CertificateSource(string certificatePath, string keyPath, TimeProvider? time = null)
    {
        _certificatePath = certificatePath;
        _keyPath = keyPath;
        _time = time ?? TimeProvider.System;
        _lookedAt = _time.GetTimestamp();
        _seen = Stamp();
        _context = Read();
    }

    /// <summary>For SslServerAuthenticationOptions.ServerCertificateContext and SslClientAuthenticationOptions.ClientCertificateContext.</summary>
    public SslStreamCertificateContext Context
    {
        get
        {
            lock (_lock)
            {
                Refresh();
                return _context;
            }
        }
    }

    /// <summary>The leaf certificate with its private key.</summary>
    public X509Certificate2 Certificate => Context.TargetCertificate;

    private void Refresh()
    {
        if (_time.GetElapsedTime(_lookedAt) < _interval)
        {
            return;
        }

        _lookedAt = _time.GetTimestamp();
        var stamp = Stamp();
        if (stamp == _seen)
        {
            return;
        }

        try
        {
            _context = Read();
            _seen = stamp;
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            // Half of a renewal: the next look sees the other half. An expired last good pair shows in the handshake.
        }
    }

    private SslStreamCertificateContext Read()
    {
        var chain = PemFiles.ReadCertificates(_certificatePath);
        var leaf = PemFiles.Pair(
            chain[0], PemFiles.ReadPrivateKey(_keyPath), $"{_keyPath}: the key does not belong to the certificate in {_certificatePath}");
        chain.RemoveAt(0);
        return SslStreamCertificateContext.Create(leaf, chain, offline: true);
    }

    private (DateTime Certificate, DateTime Key) Stamp() => (File.GetLastWriteTimeUtc(_certificatePath), File.GetLastWriteTimeUtc(_keyPath));
}
