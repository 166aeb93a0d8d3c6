using Hardway.Api;
using Hardway.Api.FieldManagement;

namespace Hardway.ApiServer.Registry;

/// <summary>Keeps metadata.managedFields of typed objects, by way of their JSON trees in the version that the client speaks.</summary>
internal sealed class FieldOwnership(TimeProvider time)
{
    private readonly FieldManager _manager = new(time);

    /// <summary>Records what a create or update changed. Objects are in the storage version.</summary>
    public void Update(ServedResource resource, KubeObject? old, KubeObject value, string manager, string subresource)
    {
        var info = resource.Info;
        var live = old is null ? EmptyTree(info) : ApiJson.ToTree(VersionConversion.Convert(old, resource.Registry.Storage, info), managedFields: false);
        var updated = ApiJson.ToTree(VersionConversion.Convert(value, resource.Registry.Storage, info), managedFields: false);
        var managed = value.Metadata.ManagedFields ?? old?.Metadata.ManagedFields;
        value.Metadata.ManagedFields = _manager.Update(live, updated, managed, resource.MergeType, new FieldWriter(manager, info.ApiVersion, subresource), Reset(resource, subresource));
    }

    /// <summary>Merges an applied configuration into the live object, in the version that the client speaks.</summary>
    public Dictionary<string, object?> Apply(ServedResource resource, Dictionary<string, object?>? live, Dictionary<string, object?> config, string manager, string subresource, bool force) =>
        _manager.Apply(live ?? EmptyTree(resource.Info), live is null, config, resource.MergeType, new FieldWriter(manager, resource.Info.ApiVersion, subresource), force, Reset(resource, subresource));

    /// <summary>Records who wrote an object that is answered and not kept (a review).</summary>
    public void Own(TypeSchema type, KubeObject value, string manager, string subresource)
    {
        var empty = (KubeObject)type.New();
        (empty.Kind, empty.ApiVersion) = (value.Kind, value.ApiVersion);
        value.Metadata.ManagedFields = _manager.Update(
            ApiJson.ToTree(empty), ApiJson.ToTree(value, managedFields: false), value.Metadata.ManagedFields, SchemaMergeType.Of(type), new FieldWriter(manager, value.ApiVersion, subresource));
    }

    /// <summary>What a new object is compared with: one of its type with nothing in it but what its type always has.</summary>
    private static Dictionary<string, object?> EmptyTree(ResourceInfo info)
    {
        var empty = (KubeObject)info.Type.New();
        empty.Kind = info.Kind;
        empty.ApiVersion = info.ApiVersion;
        return ApiJson.ToTree(empty);
    }

    /// <summary>What the endpoint ignores and so nobody can own through it.</summary>
    private static FieldSet? Reset(ServedResource resource, string subresource)
    {
        if (!resource.Rules.HasStatus)
        {
            return null;
        }

        var set = new FieldSet();
        if (subresource.Length == 0)
        {
            set.ChildOrNew(PathElement.Field("status")).Insert();
        }
        else if (subresource == "status")
        {
            if (resource.Registry.IsCustom)
            {
                set.ChildOrNew(PathElement.Field("spec")).Insert();
            }

            foreach (var field in resource.Info.Type.Fields)
            {
                if (field.Name is not ("status" or "metadata" or "kind" or "apiVersion"))
                {
                    set.ChildOrNew(PathElement.Field(field.Name)).Insert();
                }
            }
        }

        return set;
    }
}
