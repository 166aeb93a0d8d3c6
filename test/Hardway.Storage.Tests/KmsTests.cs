using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Hardway.Storage.Embedded;
using Hardway.Storage.Encryption;
using Hardway.Storage.Encryption.Kms;

namespace Hardway.Storage.Tests;

public sealed class KmsTests : IAsyncLifetime
{
    private const string Key = "/registry/secrets/default/a";
    private readonly string _directory = Directory.CreateTempSubdirectory("kms").FullName;
    private EmbeddedStore _raw = null!;
    private KmsServer _server = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Config => $$"""
        kind: EncryptionConfiguration
        apiVersion: apiserver.config.k8s.io/v1
        resources:
        - resources: ["*.*"]
          providers:
          - kms: {apiVersion: v2, name: mine, endpoint: "unix://{{_directory}}/kms.sock", timeout: 3s}
          - identity: {}
        """;

    public async ValueTask InitializeAsync()
    {
        _raw = EmbeddedStore.Open(Path.Combine(_directory, "store.db"));
        _server = await KmsServer.StartAsync(Path.Combine(_directory, "kms.sock"));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _raw.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_value_is_under_a_derived_key_and_is_read_by_who_asks_the_server()
    {
        var writer = Store();
        for (var i = 0; i < 5; i++)
        {
            Assert.True((await writer.CreateAsync(Key + i, "secret"u8.ToArray(), 0, Stop)).Succeeded);
        }

        Assert.Equal(1, _server.Encrypted);
        var kept = (await _raw.GetAsync(Key + "0", 0, Stop)).Entry!.Value;
        Assert.StartsWith("k8s:enc:kms:v2:mine:", Encoding.Latin1.GetString(kept.Span), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", Encoding.Latin1.GetString(kept.Span), StringComparison.Ordinal);
        var reader = Store();
        var list = await reader.ListAsync(new StoreListRequest("/registry/secrets/"), Stop);
        Assert.All(list.Entries, e => Assert.Equal("secret", Encoding.UTF8.GetString(e.Value.Span)));
        Assert.Equal(5, list.Entries.Count);
        Assert.Equal(1, _server.Decrypted);
    }

    [Fact]
    public async Task What_another_server_wrote_is_read_of_both_kinds_of_key()
    {
        // As upstream lays it out: derivation bytes, nonce, ciphertext and tag, bound to the key in the store.
        var seed = RandomNumberGenerator.GetBytes(32);
        var info = RandomNumberGenerator.GetBytes(32);
        var derived = HKDF.Expand(HashAlgorithmName.SHA256, seed, 32, info);
        await PutAsync(Key + "seed", seed, 1, [.. info, .. Seal(derived, Key + "seed")]);
        await PutAsync(Key + "plain", seed, 0, Seal(seed, Key + "plain"));
        var store = Store();
        Assert.Equal("theirs", Encoding.UTF8.GetString((await store.GetAsync(Key + "seed", 0, Stop)).Entry!.Value.Span));
        Assert.Equal("theirs", Encoding.UTF8.GetString((await store.GetAsync(Key + "plain", 0, Stop)).Entry!.Value.Span));
    }

    [Fact]
    public async Task Another_key_of_the_server_makes_a_new_seed_and_old_values_stale()
    {
        var first = Store();
        await first.CreateAsync(Key, "old"u8.ToArray(), 0, Stop);
        _server.KeyId = "key-2";
        var second = Store();
        await second.CreateAsync(Key + "2", "new"u8.ToArray(), 0, Stop);
        Assert.True((await second.GetAsync(Key, 0, Stop)).Entry!.Stale);
        Assert.False((await second.GetAsync(Key + "2", 0, Stop)).Entry!.Stale);
    }

    [Fact]
    public async Task A_server_that_is_not_well_stops_writes_and_shows_in_the_health()
    {
        var model = EncryptionModel.Parse(Config, "f");
        Assert.Null(await model.HealthAsync(Stop));
        _server.Health = "no";
        Assert.Contains("mine", await model.HealthAsync(Stop), StringComparison.Ordinal);
        var error = await Assert.ThrowsAsync<StoreException>(async () => await Store().CreateAsync(Key, "x"u8.ToArray(), 0, Stop));
        Assert.Equal(StoreError.Unavailable, error.Error);
    }

    private TransformingStore Store() => new(_raw, EncryptionModel.Parse(Config, "f"), _ => ("", "secrets"));

    private async Task PutAsync(string key, byte[] secret, int type, byte[] data)
    {
        using var service = new KmsService("unix://" + _directory + "/kms.sock", TimeSpan.FromSeconds(3));
        var source = await service.EncryptAsync(secret, Stop);
        var value = new EncryptedObject { KeyId = source.KeyId, EncryptedDekSource = source.Ciphertext, EncryptedDekSourceType = type, EncryptedData = ByteString.CopyFrom(data) };
        value.Annotations.Add(source.Annotations);
        await _raw.CreateAsync(key, (byte[])[.. "k8s:enc:kms:v2:mine:"u8, .. value.ToByteArray()], 0, Stop);
    }

    private static byte[] Seal(byte[] secret, string key)
    {
        var (nonce, plain) = (RandomNumberGenerator.GetBytes(12), "theirs"u8.ToArray());
        var (cipher, tag) = (new byte[plain.Length], new byte[16]);
        using var aes = new AesGcm(secret, 16);
        aes.Encrypt(nonce, plain, cipher, tag, Encoding.UTF8.GetBytes(key));
        return [.. nonce, .. cipher, .. tag];
    }
}
