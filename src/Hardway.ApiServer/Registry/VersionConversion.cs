using System.Collections.Concurrent;
using Hardway.Api;

namespace Hardway.ApiServer.Registry;

/// <summary>
/// Objects from one served version of their kind to another. Versions of one shape need only their apiVersion changed; pairs that differ
/// have a converter of trees in <see cref="Add"/>.
/// </summary>
internal static class VersionConversion
{
    private static readonly ConcurrentDictionary<(string From, string To), Action<Dictionary<string, object?>>> s_special = new();

    public static void Add(string fromApiVersion, string toApiVersion, string kind, Action<Dictionary<string, object?>> change) =>
        s_special[(fromApiVersion + "/" + kind, toApiVersion + "/" + kind)] = change;

    public static KubeObject Convert(KubeObject value, ResourceInfo from, ResourceInfo to)
    {
        if (from == to || from.Type == to.Type)
        {
            return value;
        }

        var tree = ApiJson.ToTree(value);
        if (s_special.TryGetValue((from.ApiVersion + "/" + from.Kind, to.ApiVersion + "/" + to.Kind), out var change))
        {
            change(tree);
        }

        tree["apiVersion"] = to.ApiVersion;
        tree["kind"] = to.Kind;
        return (KubeObject)ApiJson.FromTree(to.Type, tree);
    }

    /// <summary>The served bytes in the version that the client speaks.</summary>
    public static ReadOnlyMemory<byte> Convert(ReadOnlyMemory<byte> json, ServedResource resource) =>
        resource.IsStorageVersion ? json : ApiJson.Serialize(Convert((KubeObject)ApiJson.Deserialize(resource.Registry.Storage.Type, json.Span), resource.Registry.Storage, resource.Info));
}
