using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Sources;

namespace Hardway.Kubelet.Images;

/// <summary>Credentials for a registry from a Pod's imagePullSecrets (kubernetes.io/dockerconfigjson and dockercfg). Never logged.</summary>
internal sealed class PullSecrets(ApiObjects objects)
{
    public async Task<AuthConfig?> ForAsync(Pod pod, string image, CancellationToken stop)
    {
        foreach (var reference in pod.Spec.ImagePullSecrets ?? [])
        {
            var secret = await objects.SecretAsync(pod.Metadata.Namespace, reference.Name, stop);
            if (secret != null && Find(secret, image) is { } auth)
                return auth;
        }
        return null;
    }

    internal static AuthConfig? Find(Secret secret, string image)
    {
        var data = secret.Data ?? [];
        var auths = data.TryGetValue(".dockerconfigjson", out var json) ? Parse(json)?["auths"] : data.TryGetValue(".dockercfg", out var old) ? Parse(old) : null;
        if (auths is not JsonObject entries)
            return null;
        var registry = ImageName.Registry(image);
        foreach (var (key, value) in entries)
        {
            if (Host(key) == registry && value is JsonObject entry)
                return ToAuth(entry, registry);
        }
        return null;
    }

    private static AuthConfig ToAuth(JsonObject entry, string registry)
    {
        var user = Text(entry, "username");
        var password = Text(entry, "password");
        if (user.Length == 0 && Text(entry, "auth") is { Length: > 0 } encoded)
        {
            var pair = Encoding.UTF8.GetString(Convert.FromBase64String(encoded)).Split(':', 2);
            (user, password) = (pair[0], pair.Length > 1 ? pair[1] : "");
        }
        return new AuthConfig { Username = user, Password = password, ServerAddress = registry, IdentityToken = Text(entry, "identitytoken") };
    }

    /// <summary>Keys are hosts, or URLs as docker's own registry has it.</summary>
    private static string Host(string key)
    {
        var scheme = key.IndexOf("://", StringComparison.Ordinal);
        var rest = scheme < 0 ? key : key[(scheme + 3)..];
        var host = rest.Split('/')[0];
        return host is "index.docker.io" or "registry-1.docker.io" ? "docker.io" : host;
    }

    private static JsonNode? Parse(byte[]? json)
    {
        try
        {
            return json == null ? null : JsonNode.Parse(json);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private static string Text(JsonObject entry, string name) => entry[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";
}
