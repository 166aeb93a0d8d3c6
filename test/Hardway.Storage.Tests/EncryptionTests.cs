using System.Security.Cryptography;
using System.Text;
using Hardway.Storage.Embedded;
using Hardway.Storage.Encryption;

namespace Hardway.Storage.Tests;

public sealed class EncryptionTests : IAsyncLifetime
{
    private const string Tutorial = """
        kind: EncryptionConfiguration
        apiVersion: apiserver.config.k8s.io/v1
        resources:
          - resources:
              - secrets
            providers:
              - aescbc:
                  keys:
                    - name: key1
                      secret: rXIvoU78QSsd+RDSUK+W0HT1HS/o5aV2VG7COtuHp1Y=
              - identity: {}
        """;

    private const string Key = "/registry/secrets/default/a";
    private readonly string _directory = Directory.CreateTempSubdirectory("hardway-encryption-").FullName;
    private EmbeddedStore _raw = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _raw = EmbeddedStore.Open(Path.Combine(_directory, "store.db"));
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _raw.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task The_tutorials_configuration_encrypts_secrets_and_nothing_else()
    {
        var store = Over(Tutorial);
        await store.CreateAsync(Key, "plain text"u8.ToArray(), 0, Stop);
        await store.CreateAsync("/registry/configmaps/default/a", "plain text"u8.ToArray(), 0, Stop);

        var stored = (await _raw.GetAsync(Key, 0, Stop)).Entry!.Value;
        Assert.StartsWith("k8s:enc:aescbc:v1:key1:", Encoding.Latin1.GetString(stored.Span));
        Assert.True(stored.Span.IndexOf("plain"u8) < 0);
        Assert.Equal("plain text", await ReadAsync(_raw, "/registry/configmaps/default/a"));
        Assert.Equal("plain text", await ReadAsync(store, Key));
        Assert.Equal("plain text", Encoding.UTF8.GetString(Assert.Single((await store.ListAsync(new StoreListRequest("/registry/secrets/"), Stop)).Entries).Value.Span));
    }

    [Fact]
    public async Task What_others_encrypted_by_AES_CBC_is_read()
    {
        // openssl enc -aes-256-cbc, the tutorial's key, IV 00..0f
        byte[] sealedByOpenssl = [.. "k8s:enc:aescbc:v1:key1:"u8, .. Convert.FromHexString("000102030405060708090a0b0c0d0e0f"), .. Convert.FromHexString("0aea021c129a3666d58fe35eae23afd9ccc7ca4f0cc921ae99f4bdb66d31f59e")];
        await _raw.CreateAsync(Key, sealedByOpenssl, 0, Stop);
        Assert.Equal("""{"kind":"Secret"}""", await ReadAsync(Over(Tutorial), Key));
    }

    [Fact]
    public void Secretbox_is_NaCls()
    {
        // The test vector of "Cryptography in NaCl", section 10.
        var key = Convert.FromHexString("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389");
        var nonce = Convert.FromHexString("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
        var message = Convert.FromHexString("be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705");
        const string Box = "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5";

        Assert.Equal(Box, Convert.ToHexStringLower(Secretbox.Seal(key, nonce, message)));
        Assert.Equal(message, Secretbox.Open(key, nonce, Convert.FromHexString(Box)));
    }

    [Theory]
    [InlineData("aescbc", false)]
    [InlineData("aesgcm", true)]
    [InlineData("secretbox", true)]
    public async Task A_value_comes_back_and_a_changed_one_does_not_pass(string provider, bool authenticated)
    {
        var store = Over(Config(provider, ("k", 1)));
        for (var length = 0; length < 100; length++)
        {
            var value = RandomNumberGenerator.GetBytes(length);
            await store.CreateAsync($"{Key}{length}", value, 0, Stop);
            Assert.Equal(value, (await store.GetAsync($"{Key}{length}", 0, Stop)).Entry!.Value.ToArray());
        }

        var stored = (await _raw.GetAsync(Key + "50", 0, Stop)).Entry!;
        var changed = stored.Value.ToArray();
        changed[^1] ^= 1;
        await _raw.UpdateAsync(Key + "50", changed, stored.ModRevision, 0, Stop);
        var read = (await store.GetAsync(Key + "50", 0, Stop)).Entry!;
        Assert.True(read.Unreadable is not null || !authenticated);
    }

    [Fact]
    public async Task AES_GCM_binds_a_value_to_its_key()
    {
        var store = Over(Config("aesgcm", ("k", 1)));
        await store.CreateAsync(Key, "x"u8.ToArray(), 0, Stop);
        await _raw.CreateAsync("/registry/secrets/default/b", (await _raw.GetAsync(Key, 0, Stop)).Entry!.Value, 0, Stop);
        Assert.NotNull((await store.GetAsync("/registry/secrets/default/b", 0, Stop)).Entry!.Unreadable);
    }

    [Fact]
    public async Task After_a_rotation_old_values_are_read_and_stale()
    {
        await Over(Config("secretbox", ("old", 1))).CreateAsync(Key, "x"u8.ToArray(), 0, Stop);
        var rotated = Over(Config("secretbox", ("new", 2), ("old", 1)));
        var read = (await rotated.GetAsync(Key, 0, Stop)).Entry!;
        await rotated.UpdateAsync(Key, read.Value, read.ModRevision, 0, Stop);

        Assert.Equal((true, null), (read.Stale, read.Unreadable));
        Assert.False((await rotated.GetAsync(Key, 0, Stop)).Entry!.Stale);
        Assert.Contains("not in the encryption configuration", (await Over(Config("secretbox", ("old", 1))).GetAsync(Key, 0, Stop)).Entry!.Unreadable);
    }

    [Fact]
    public async Task Plain_text_is_read_where_identity_is_listed_and_ciphertext_never_passes_for_plain_text()
    {
        await _raw.CreateAsync(Key, "plain"u8.ToArray(), 0, Stop);
        Assert.True((await Over(Tutorial).GetAsync(Key, 0, Stop)).Entry!.Stale);
        Assert.NotNull((await Over(Config("secretbox", ("k", 1))).GetAsync(Key, 0, Stop)).Entry!.Unreadable);

        await Over(Tutorial).CreateAsync(Key + "2", "x"u8.ToArray(), 0, Stop);
        var none = new TransformingStore(_raw, EncryptionModel.None, ResourceOf);
        Assert.Contains(Key + "2", (await none.GetAsync(Key + "2", 0, Stop)).Entry!.Unreadable);
    }

    [Fact]
    public async Task A_watch_shows_plain_values()
    {
        var store = Over(Tutorial);
        var written = await store.CreateAsync(Key, "x"u8.ToArray(), 0, Stop);
        await store.DeleteAsync(Key, written.Revision, Stop);
        await foreach (var batch in store.WatchAsync("", written.Revision, Stop))
        {
            if (batch.Events.Count > 0)
            {
                Assert.Equal(["x", ""], batch.Events.Select(e => Encoding.UTF8.GetString(e.Entry.Value.Span)));
                Assert.Equal("x", Encoding.UTF8.GetString(batch.Events[1].Previous!.Value.Span));
                break;
            }
        }
    }

    [Theory]
    [InlineData("secrets", "", "secrets", true)]
    [InlineData("secrets", "apps", "secrets", false)]
    [InlineData("deployments.apps", "apps", "deployments", true)]
    [InlineData("'*.apps'", "apps", "daemonsets", true)]
    [InlineData("'*.apps'", "", "secrets", false)]
    [InlineData("'*.'", "", "configmaps", true)]
    [InlineData("'*.'", "apps", "deployments", false)]
    [InlineData("'*.*'", "stable.example.com", "crontabs", true)]
    public void Resources_are_named_as_upstream_names_them(string pattern, string group, string resource, bool encrypted)
    {
        var model = EncryptionModel.Parse(Tutorial.Replace("- secrets", "- " + pattern), "test");
        Assert.Equal(encrypted, model.For(group, resource) is not IdentityTransformer);
    }

    [Theory]
    [InlineData("- secrets", "- '*'", "\"*\" is not RESOURCE")]
    [InlineData("name: key1", "nam: key1", "unknown field \"nam\"")]
    [InlineData("rXIvoU78QSsd", "", "secret: expected 16, 24 or 32 bytes in base64")]
    [InlineData("name: key1", "name: 'a:b'", "has no colon")]
    [InlineData("apiserver.config.k8s.io/v1", "v1", "apiVersion: expected apiserver.config.k8s.io/v1")]
    [InlineData("- identity: {}", "- kms: {}", "the field \"name\" is missing")]
    [InlineData("- identity: {}", "- kms: {name: k, endpoint: \"unix:///s\"}", "only v2")]
    [InlineData("- identity: {}", "- kms: {apiVersion: v2, name: k, endpoint: \"http://s\"}", "unix:///PATH")]
    [InlineData("- identity: {}", "- identity: {", "not valid YAML")]
    public void A_mistake_is_named_in_one_line_without_the_secret(string good, string bad, string expected)
    {
        var e = Assert.Throws<EncryptionConfigException>(() => EncryptionModel.Parse(Tutorial.Replace(good, bad), "/etc/encryption.yaml"));
        Assert.StartsWith("/etc/encryption.yaml: ", e.Message);
        Assert.Contains(expected, e.Message);
        Assert.DoesNotContain("+RDSUK", e.Message);
        Assert.DoesNotContain('\n', e.Message);
    }

    private static string Config(string provider, params (string Name, byte Fill)[] keys)
    {
        var lines = keys.Select(k => $"        - name: {k.Name}\n          secret: {Convert.ToBase64String(Enumerable.Repeat(k.Fill, 32).ToArray())}\n");
        return $"apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers:\n  - {provider}:\n        keys:\n{string.Concat(lines)}";
    }

    private static (string, string)? ResourceOf(string key) => key.Split('/') is [_, "registry", var resource, ..] ? ("", resource) : null;

    private static async Task<string> ReadAsync(IStore store, string key) => Encoding.UTF8.GetString((await store.GetAsync(key, 0, Stop)).Entry!.Value.Span);

    private TransformingStore Over(string config) => new(_raw, EncryptionModel.Parse(config, "test"), ResourceOf);
}
