using Hardway.Hosting;
using Hardway.Storage.Encryption.Kms;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Hardway.Storage.Encryption;

/// <summary>A mistake in an EncryptionConfiguration: one line that says where and what. Never shows a secret.</summary>
public sealed class EncryptionConfigException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Reads kind EncryptionConfiguration of apiserver.config.k8s.io/v1, strictly: an unknown field is a mistake.</summary>
internal sealed class EncryptionConfigReader(string source, TimeProvider time)
{
    private readonly Dictionary<string, string> _endpoints = new(StringComparer.Ordinal);

    public EncryptionModel Read(string yaml)
    {
        var root = Map(Load(yaml), "the document", "kind", "apiVersion", "resources");
        Expect(root, "apiVersion", "apiserver.config.k8s.io/v1");
        Expect(root, "kind", "EncryptionConfiguration");
        var entries = new List<(IReadOnlyList<string>, IValueTransformer)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (node, i) in List(root, "resources", "the document").Select((n, i) => (n, i)))
        {
            var where = $"resources[{i}]";
            var entry = Map(node, where, "resources", "providers");
            var resources = List(entry, "resources", where).Select(n => Resource(Text(n, $"{where}.resources"), where)).ToList();
            var duplicate = resources.Find(r => !seen.Add(r));
            if (duplicate is not null)
            {
                throw Wrong($"{where}.resources: \"{duplicate}\" is listed twice; the second entry would never be used");
            }

            var providers = List(entry, "providers", where).Select((n, p) => Provider(n, $"{where}.providers[{p}]")).ToList();
            entries.Add((resources, new OrderedTransformer(providers)));
        }

        return new EncryptionModel(entries);
    }

    private YamlNode Load(string yaml)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            return stream.Documents is [{ } document] ? document.RootNode : throw Wrong("expected one YAML document");
        }
        catch (YamlException e)
        {
            throw new EncryptionConfigException($"{source}: line {e.Start.Line}: not valid YAML", e);
        }
    }

    private IValueTransformer Provider(YamlNode node, string where)
    {
        var provider = Map(node, where, "aescbc", "aesgcm", "secretbox", "identity", "kms");
        if (provider.Children.Count != 1)
        {
            throw Wrong($"{where}: expected exactly one of aescbc, aesgcm, secretbox, kms, identity");
        }

        var (name, value) = (((YamlScalarNode)provider.Children[0].Key).Value!, provider.Children[0].Value);
        where = $"{where}.{name}";
        return name switch
        {
            "identity" => Map(value, where) is not null ? IdentityTransformer.Instance : throw Wrong(where),
            "aescbc" => new ProviderTransformer(name, Keys(value, where, s => s is 16 or 24 or 32, "16, 24 or 32", s => new AesCbcCipher(s))),
            "aesgcm" => new ProviderTransformer(name, Keys(value, where, s => s is 16 or 24 or 32, "16, 24 or 32", s => new AesGcmCipher(s))),
            "secretbox" => new ProviderTransformer(name, Keys(value, where, s => s is Secretbox.KeyLength, "32", s => new SecretboxCipher(s))),
            _ => Kms(value, where),
        };
    }

    private KmsTransformer Kms(YamlNode node, string where)
    {
        var kms = Map(node, where, "apiVersion", "name", "endpoint", "timeout", "cachesize");
        var version = kms.Children.TryGetValue(new YamlScalarNode("apiVersion"), out var given) ? Text(given, where) : "v1";
        var (name, endpoint) = (Text(Required(kms, "name", where), $"{where}.name"), Text(Required(kms, "endpoint", where), $"{where}.endpoint"));
        var timeout = TimeSpan.FromSeconds(3);
        if (version != "v2")
        {
            throw Wrong($"{where}.apiVersion: only v2 is there, not {version}");
        }

        if (name.Length == 0 || name.Contains(':', StringComparison.Ordinal) || (_endpoints.TryGetValue(name, out var other) && other != endpoint))
        {
            throw Wrong($"{where}.name: expected a name that is not empty, has no colon and names one endpoint");
        }

        _endpoints[name] = endpoint;
        if (!endpoint.StartsWith("unix:///", StringComparison.Ordinal))
        {
            throw Wrong($"{where}.endpoint: expected unix:///PATH");
        }

        if (kms.Children.TryGetValue(new YamlScalarNode("timeout"), out var limit) && (!GoDuration.TryParse(Text(limit, where), out timeout) || timeout <= TimeSpan.Zero))
        {
            throw Wrong($"{where}.timeout: expected a duration such as 3s");
        }

        return kms.Children.ContainsKey(new YamlScalarNode("cachesize")) ? throw Wrong($"{where}.cachesize: is of v1 only") : new KmsTransformer(name, new KmsService(endpoint, timeout), time);
    }

    private List<(string, ICipher)> Keys(YamlNode node, string where, Func<int, bool> goodLength, string lengths, Func<byte[], ICipher> cipher)
    {
        var keys = new List<(string, ICipher)>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (item, i) in List(Map(node, where, "keys"), "keys", where).Select((n, i) => (n, i)))
        {
            var at = $"{where}.keys[{i}]";
            var key = Map(item, at, "name", "secret");
            var name = Text(Required(key, "name", at), $"{at}.name");
            if (name.Length == 0 || name.Contains(':', StringComparison.Ordinal) || !names.Add(name))
            {
                throw Wrong($"{at}.name: expected a name that is not empty, has no colon and is not used twice");
            }

            keys.Add((name, cipher(Secret(Text(Required(key, "secret", at), $"{at}.secret"), at, goodLength, lengths))));
        }

        return keys;
    }

    private byte[] Secret(string text, string where, Func<int, bool> goodLength, string lengths)
    {
        var secret = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, secret, out var length) || !goodLength(length))
        {
            throw Wrong($"{where}.secret: expected {lengths} bytes in base64 (make one: head -c 32 /dev/urandom | base64)");
        }

        return secret[..length];
    }

    private string Resource(string name, string where)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        var (resource, group) = dot < 0 ? (name, "") : (name[..dot], name[(dot + 1)..]);
        return resource.Length == 0 || name == "*" || (group == "*" && resource != "*") || (group.Contains('*', StringComparison.Ordinal) && group != "*") || name.Contains('/', StringComparison.Ordinal)
            ? throw Wrong($"{where}.resources: \"{name}\" is not RESOURCE, RESOURCE.GROUP, *.GROUP, *. (the core group) or *.*")
            : name;
    }

    private YamlMappingNode Map(YamlNode node, string where, params string[] fields)
    {
        if (node is not YamlMappingNode map)
        {
            throw Wrong($"{where}: expected a map");
        }

        foreach (var key in map.Children.Keys)
        {
            if (key is not YamlScalarNode { Value: { } name } || !fields.Contains(name))
            {
                throw Wrong($"{where}: unknown field \"{(key as YamlScalarNode)?.Value}\" (line {key.Start.Line})");
            }
        }

        return map;
    }

    private YamlNode Required(YamlMappingNode map, string field, string where) =>
        map.Children.TryGetValue(new YamlScalarNode(field), out var node) ? node : throw Wrong($"{where}: the field \"{field}\" is missing");

    private IList<YamlNode> List(YamlMappingNode map, string field, string where) =>
        Required(map, field, where) is YamlSequenceNode { Children: { Count: > 0 } items } ? items : throw Wrong($"{where}.{field}: expected a list that is not empty");

    private string Text(YamlNode node, string where) => (node as YamlScalarNode)?.Value ?? throw Wrong($"{where}: expected text");

    private void Expect(YamlMappingNode map, string field, string value)
    {
        if (Text(Required(map, field, "the document"), field) != value)
        {
            throw Wrong($"{field}: expected {value}");
        }
    }

    private EncryptionConfigException Wrong(string what) => new($"{source}: {what}");
}
