using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Hardway.Grpc;

namespace Hardway.Storage.Encryption.Kms;

/// <summary>
/// Values under a seed that a key management server protects (KMS v2): k8s:enc:kms:v2:NAME: and an EncryptedObject with the seed as the
/// server encrypted it. Each value's key is derived from the seed and 32 random bytes, so one seed serves for long; it is made anew when the
/// server tells of another key. The server is asked in the Prepare calls only; seeds that it opened once are remembered.
/// </summary>
internal sealed class KmsTransformer : IValueTransformer, IDisposable
{
    private const int SeedLength = 32;
    private const int InfoLength = 32;
    private const int MostSeeds = 1000;
    private const int SeedType = 1;
    private static readonly TimeSpan s_check = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);

    private readonly string _name;
    private readonly byte[] _prefix;
    private readonly KmsService _service;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _checking = new(1);
    private readonly ConcurrentDictionary<string, byte[]> _seeds = new(StringComparer.Ordinal);
    private volatile WriteSeed? _writing;

    public KmsTransformer(string name, KmsService service, TimeProvider time)
    {
        _name = name;
        _prefix = Encoding.UTF8.GetBytes($"k8s:enc:kms:v2:{name}:");
        _service = service;
        _time = time;
    }

    public bool Reads(ReadOnlySpan<byte> stored) => stored.StartsWith(_prefix);

    public async ValueTask PrepareWriteAsync(CancellationToken cancellationToken)
    {
        if (_writing is { } current && _time.GetElapsedTime(current.CheckedAt) < s_check)
        {
            return;
        }

        await _checking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_writing is not { } known || _time.GetElapsedTime(known.CheckedAt) >= s_check)
            {
                _writing = await CheckAsync(_writing, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is GrpcException or ValueUnreadableException)
        {
            // What was good a moment ago may go on for a while; then writes fail until the server answers.
            if (_writing is not { } known || _time.GetElapsedTime(known.CheckedAt) >= s_patience)
            {
                throw new StoreException(StoreError.Unavailable, $"the KMS provider {_name} does not answer: {e.Message}", e);
            }
        }
        finally
        {
            _checking.Release();
        }
    }

    public async ValueTask PrepareReadAsync(ReadOnlyMemory<byte> stored, CancellationToken cancellationToken)
    {
        var value = Parse(stored.Span, "a value");
        var id = IdOf(value);
        if (_seeds.ContainsKey(id))
        {
            return;
        }

        try
        {
            Remember(id, await _service.DecryptAsync(value, cancellationToken).ConfigureAwait(false));
        }
        catch (GrpcException e) when (e.Status is StatusCode.Unavailable or StatusCode.DeadlineExceeded)
        {
            // Not the value's fault: whoever reads comes again, rather than taking it for unreadable.
            throw new StoreException(StoreError.Unavailable, $"the KMS provider {_name} does not answer: {e.Message}", e);
        }
        catch (GrpcException e)
        {
            throw new ValueUnreadableException($"the KMS provider {_name} does not open the key {value.KeyId}: {e.Message}", e);
        }
    }

    public ReadOnlyMemory<byte> ToStorage(ReadOnlyMemory<byte> plain, string key)
    {
        var seed = _writing ?? throw new StoreException(StoreError.Unavailable, $"the KMS provider {_name} has not answered yet");
        var info = RandomNumberGenerator.GetBytes(InfoLength);
        var value = seed.Template.Clone();
        value.EncryptedData = ByteString.CopyFrom([.. info, .. new AesGcmCipher(Derive(seed.Seed, info)).Seal(plain.Span, key)]);
        return (byte[])[.. _prefix, .. value.ToByteArray()];
    }

    public (ReadOnlyMemory<byte> Plain, bool Stale) FromStorage(ReadOnlyMemory<byte> stored, string key)
    {
        var value = Parse(stored.Span, key);
        if (!_seeds.TryGetValue(IdOf(value), out var seed))
        {
            throw new ValueUnreadableException($"{key}: the KMS provider {_name} has not opened the key {value.KeyId}");
        }

        try
        {
            var data = value.EncryptedData.Span;
            var plain = value.EncryptedDekSourceType == SeedType
                ? data.Length < InfoLength ? throw new CryptographicException("shorter than its derivation bytes") : new AesGcmCipher(Derive(seed, data[..InfoLength])).Open(data[InfoLength..], key)
                : new AesGcmCipher(seed).Open(data, key);
            return (plain, _writing is { } now && now.Template.KeyId != value.KeyId);
        }
        catch (CryptographicException e)
        {
            throw new ValueUnreadableException($"{key}: the stored value does not open with the key {value.KeyId} of the KMS provider {_name} ({e.Message})", e);
        }
    }

    public async ValueTask<string?> HealthAsync(CancellationToken cancellationToken)
    {
        try
        {
            await StatusAsync(cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (e is GrpcException or ValueUnreadableException)
        {
            return $"{_name}: {e.Message}";
        }
    }

    public void Dispose()
    {
        _service.Dispose();
        _checking.Dispose();
    }

    private static byte[] Derive(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> info)
    {
        var key = new byte[SeedLength];
        HKDF.Expand(HashAlgorithmName.SHA256, seed, key, info);
        return key;
    }

    private static string IdOf(EncryptedObject value) => value.KeyId + "/" + Convert.ToHexString(SHA256.HashData(value.EncryptedDekSource.Span));

    private EncryptedObject Parse(ReadOnlySpan<byte> stored, string key)
    {
        try
        {
            return EncryptedObject.Parser.ParseFrom(stored[_prefix.Length..]);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new ValueUnreadableException($"{key}: what stands behind the prefix of the KMS provider {_name} is damaged", e);
        }
    }

    private async Task<string> StatusAsync(CancellationToken cancellationToken)
    {
        var status = await _service.StatusAsync(cancellationToken).ConfigureAwait(false);
        return status is { Healthz: "ok", Version: "v2" or "v2beta1", KeyId.Length: > 0 and <= 1024 }
            ? status.KeyId
            : throw new ValueUnreadableException($"its status is \"{status.Healthz}\", version \"{status.Version}\", key \"{status.KeyId}\"");
    }

    /// <summary>The seed to write with: the one of before while the server's key is the same.</summary>
    private async Task<WriteSeed> CheckAsync(WriteSeed? known, CancellationToken cancellationToken)
    {
        var id = await StatusAsync(cancellationToken).ConfigureAwait(false);
        if (known?.Template.KeyId == id)
        {
            return known with { CheckedAt = _time.GetTimestamp() };
        }

        var seed = RandomNumberGenerator.GetBytes(SeedLength);
        var sealedSeed = await _service.EncryptAsync(seed, cancellationToken).ConfigureAwait(false);
        var template = new EncryptedObject { KeyId = sealedSeed.KeyId, EncryptedDekSource = sealedSeed.Ciphertext, EncryptedDekSourceType = SeedType };
        template.Annotations.Add(sealedSeed.Annotations);
        Remember(IdOf(template), seed);
        return new WriteSeed(seed, template, _time.GetTimestamp());
    }

    private void Remember(string id, byte[] seed)
    {
        if (_seeds.Count >= MostSeeds)
        {
            // There is a seed a server's start and key: so many are a sign of old ones, which can be opened again.
            _seeds.Clear();
        }

        _seeds[id] = seed;
    }

    private sealed record WriteSeed(byte[] Seed, EncryptedObject Template, long CheckedAt);
}
