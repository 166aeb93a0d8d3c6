using Hardway.Api;

namespace Hardway.Client;

/// <summary>Keys of queues and stores: "namespace/name", or "name" for what has no namespace.</summary>
public static class KubeKey
{
    public static string Of(KubeObject obj) => Of(obj.Metadata.Namespace, obj.Metadata.Name);

    public static string Of(string? ns, string name) => string.IsNullOrEmpty(ns) ? name : $"{ns}/{name}";

    public static (string Namespace, string Name) Split(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? ("", key) : (key[..slash], key[(slash + 1)..]);
    }
}
