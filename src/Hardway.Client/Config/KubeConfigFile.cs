using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Hosting;
using Hardway.Pki;

namespace Hardway.Client;

/// <summary>Reads a kubeconfig file (v1 Config, YAML or JSON): picks a context and resolves its cluster and user. Relative paths start at the file.</summary>
internal sealed class KubeConfigFile
{
    private const long Largest = 4 << 20;

    private readonly string _path;
    private readonly JsonNode _root;

    private KubeConfigFile(string path, JsonNode root) => (_path, _root) = (path, root);

    public static KubeConfig Load(string path, string? context)
    {
        try
        {
            var info = new FileInfo(path);
            if (!info.Exists) throw new ComponentException($"kubeconfig {path} does not exist");
            if (info.Length > Largest) throw new ComponentException($"kubeconfig {path} is too large ({info.Length} bytes)");
            var root = JsonNode.Parse(YamlJson.ToJson(File.ReadAllText(path)));
            return root is JsonObject ? new KubeConfigFile(path, root).Resolve(context) : throw new ComponentException($"kubeconfig {path} is empty");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or ApiDecodeException or System.Text.Json.JsonException or CryptographicException or InvalidOperationException)
        {
            throw new ComponentException($"kubeconfig {path}: {e.Message}", e);
        }
    }

    private KubeConfig Resolve(string? contextName)
    {
        contextName ??= Text(_root, "current-context");
        if (string.IsNullOrEmpty(contextName)) throw Wrong("has no current-context and none was chosen");
        var context = Named("contexts", "context", contextName) ?? throw Wrong($"has no context \"{contextName}\"");
        var clusterName = Text(context, "cluster") ?? throw Wrong($"context \"{contextName}\" names no cluster");
        var cluster = Named("clusters", "cluster", clusterName) ?? throw Wrong($"has no cluster \"{clusterName}\"");
        var user = Text(context, "user") is { Length: > 0 } userName ? Named("users", "user", userName) ?? throw Wrong($"has no user \"{userName}\"") : null;
        if (!Uri.TryCreate(Text(cluster, "server"), UriKind.Absolute, out var server) || server.Scheme is not ("https" or "http"))
            throw Wrong($"cluster \"{clusterName}\": server \"{Text(cluster, "server")}\" is not an http(s) URL");
        if (user?["auth-provider"] is not null) throw Wrong("names an auth-provider: these are gone since 1.26, use an exec plugin");
        var authorities = Data(cluster, "certificate-authority");
        var inline = Text(user, "client-certificate-data") is { Length: > 0 };
        return new KubeConfig
        {
            Server = server,
            TlsServerName = Text(cluster, "tls-server-name"),
            InsecureSkipTlsVerify = cluster["insecure-skip-tls-verify"]?.GetValue<bool>() ?? false,
            Authorities = authorities is null ? null : TrustBundle.Parse(authorities),
            AuthoritiesPem = authorities,
            Proxy = Text(cluster, "proxy-url") is { Length: > 0 } proxy ? new Uri(proxy) : null,
            ClientCertificate = inline ? PemFiles.ParseWithKey(Data(user, "client-certificate")!, Data(user, "client-key") ?? throw Wrong("has a client certificate without client-key-data")) : null,
            ClientCertificateSource = inline ? null : CertificateFiles(user),
            Token = Text(user, "token"),
            TokenFile = Text(user, "tokenFile") is { Length: > 0 } file ? Absolute(file) : null,
            Username = Text(user, "username"),
            Password = Text(user, "password"),
            Exec = Exec(user),
            ImpersonateUser = Text(user, "as"),
            ImpersonateUid = Text(user, "as-uid"),
            ImpersonateGroups = Strings(user, "as-groups"),
            ImpersonateExtra = user?["as-user-extra"] is JsonObject extra ? [.. extra.SelectMany(e => Strings(extra, e.Key).Select(v => KeyValuePair.Create(e.Key, v)))] : [],
            Namespace = Text(context, "namespace") is { Length: > 0 } ns ? ns : "default",
        };
    }

    private CertificateSource? CertificateFiles(JsonNode? user)
    {
        if (Text(user, "client-certificate") is not { Length: > 0 } certificate) return null;
        if (Text(user, "client-key") is { Length: > 0 } key) return new CertificateSource(Absolute(certificate), Absolute(key));
        throw Wrong("has a client-certificate without a client-key");
    }

    private ExecCredentialConfig? Exec(JsonNode? user)
    {
        if (user?["exec"] is not JsonObject exec) return null;
        var command = Text(exec, "command") ?? throw Wrong("has an exec plugin without a command");
        var environment = exec["env"] is JsonArray env ? env.Select(e => KeyValuePair.Create(Text(e, "name") ?? "", Text(e, "value") ?? "")).ToList() : [];
        if (command.Contains('/', StringComparison.Ordinal)) command = Absolute(command);
        var version = Text(exec, "apiVersion") ?? "client.authentication.k8s.io/v1";
        if (version is not ("client.authentication.k8s.io/v1" or "client.authentication.k8s.io/v1beta1")) throw Wrong($"has an exec plugin of version \"{version}\": client.authentication.k8s.io/v1 and v1beta1 are known");
        if (Text(exec, "interactiveMode") == "Always") throw Wrong("has an exec plugin that wants a terminal (interactiveMode: Always): there is none");
        return new ExecCredentialConfig(version, command, Strings(exec, "args"), environment, exec["provideClusterInfo"]?.GetValue<bool>() ?? false, Text(exec, "installHint") ?? "");
    }

    /// <summary>PEM text from NAME-data (base64), or from the file NAME.</summary>
    private string? Data(JsonNode? node, string name)
    {
        if (Text(node, name + "-data") is { Length: > 0 } data)
        {
            try { return Encoding.ASCII.GetString(Convert.FromBase64String(data)); }
            catch (FormatException) { throw Wrong($"{name}-data is not base64"); }
        }
        return Text(node, name) is { Length: > 0 } file ? File.ReadAllText(Absolute(file)) : null;
    }

    private JsonNode? Named(string list, string field, string name) =>
        (_root[list] as JsonArray)?.FirstOrDefault(e => Text(e, "name") == name) is { } entry ? entry[field] ?? new JsonObject() : null;

    private string Absolute(string file) => Path.GetFullPath(file, Path.GetDirectoryName(Path.GetFullPath(_path))!);

    private ComponentException Wrong(string what) => new($"kubeconfig {_path}: {what}");

    private static string? Text(JsonNode? node, string name) => node?[name] is JsonValue value ? value.ToString() : null;

    private static List<string> Strings(JsonNode? node, string name) => node?[name] is JsonArray array ? array.Select(e => e?.ToString() ?? "").ToList() : [];
}
