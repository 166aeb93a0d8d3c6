using System.Collections.Frozen;
using Hardway.Api;
using Hardway.ApiServer.Registry.Conversions;

namespace Hardway.ApiServer.Registry;

/// <summary>
/// Objects from one version of their kind to another. Versions of one shape need only their apiVersion changed; pairs that differ have a
/// converter of trees here. What stands in a version's name only is lost where the other version has no place for it.
/// </summary>
internal static class VersionConversion
{
    private static readonly FrozenDictionary<(string From, string To, string Kind), Action<Dictionary<string, object?>>> s_special = new Dictionary<(string, string, string), Action<Dictionary<string, object?>>>
    {
        [("autoscaling/v1", "autoscaling/v2", "HorizontalPodAutoscaler")] = HorizontalPodAutoscalerConversion.ToV2,
        [("autoscaling/v2", "autoscaling/v1", "HorizontalPodAutoscaler")] = HorizontalPodAutoscalerConversion.ToV1,
        [("v1", "events.k8s.io/v1", "Event")] = EventConversion.FromCore,
        [("events.k8s.io/v1", "v1", "Event")] = EventConversion.ToCore,
        [("resource.k8s.io/v1beta1", "resource.k8s.io/v1", "ResourceClaim")] = DeviceConversion.ClaimFromBeta,
        [("resource.k8s.io/v1", "resource.k8s.io/v1beta1", "ResourceClaim")] = DeviceConversion.ClaimToBeta,
        [("resource.k8s.io/v1beta1", "resource.k8s.io/v1", "ResourceClaimTemplate")] = DeviceConversion.TemplateFromBeta,
        [("resource.k8s.io/v1", "resource.k8s.io/v1beta1", "ResourceClaimTemplate")] = DeviceConversion.TemplateToBeta,
        [("resource.k8s.io/v1beta1", "resource.k8s.io/v1", "ResourceSlice")] = DeviceConversion.SliceFromBeta,
        [("resource.k8s.io/v1", "resource.k8s.io/v1beta1", "ResourceSlice")] = DeviceConversion.SliceToBeta,
    }.ToFrozenDictionary();

    public static KubeObject Convert(KubeObject value, ResourceInfo from, ResourceInfo to)
    {
        if (from == to || from.Type == to.Type)
        {
            return value;
        }

        var tree = ApiJson.ToTree(value);
        Change(tree, from.ApiVersion, to.ApiVersion, to.Kind);
        return (KubeObject)ApiJson.FromTree(to.Type, tree);
    }

    /// <summary>To the storage version with all defaults; and in the version that it comes in it is defaulted first, as versions may differ in that.</summary>
    public static KubeObject ToStorage(ServedResource resource, KubeObject value)
    {
        SchemaDefaults.Apply(value);
        if (!resource.IsStorageVersion)
        {
            value = Convert(value, resource.Info, resource.Registry.Storage);
            SchemaDefaults.Apply(value);
        }

        if (!resource.Registry.IsCustom)
        {
            // Those of custom objects are in their schema, and were filled in when the body was read.
            resource.Rules.Default(value);
        }

        return value;
    }

    /// <summary>Changes a tree in place; its apiVersion as well.</summary>
    public static void Change(Dictionary<string, object?> tree, string from, string to, string kind)
    {
        if (s_special.TryGetValue((from, to, kind), out var change))
        {
            change(tree);
        }

        tree["apiVersion"] = to;
        tree["kind"] = kind;
    }

    /// <summary>The served bytes in the version that the client speaks.</summary>
    public static ReadOnlyMemory<byte> Convert(ReadOnlyMemory<byte> json, ServedResource resource) =>
        resource.IsStorageVersion ? json : ApiJson.Serialize(Convert((KubeObject)ApiJson.Deserialize(resource.Registry.Storage.Type, json.Span), resource.Registry.Storage, resource.Info));
}
