using Hardway.Api;
using Hardway.Api.Meta.V1;

namespace Hardway.Client;

/// <summary>Reading and making owner references.</summary>
public static class OwnerReferences
{
    /// <summary>The owner that manages the object, if one does.</summary>
    public static OwnerReference? ControllerOf(KubeObject obj)
    {
        foreach (var owner in obj.Metadata.OwnerReferences ?? [])
        {
            if (owner.Controller == true) return owner;
        }
        return null;
    }

    public static bool IsControlledBy(KubeObject obj, KubeObject owner) => ControllerOf(obj) is { } reference && reference.Uid == owner.Metadata.Uid;

    public static OwnerReference Controlling(KubeObject owner) => new()
    {
        ApiVersion = owner.ApiVersion,
        Kind = owner.Kind,
        Name = owner.Metadata.Name,
        Uid = owner.Metadata.Uid,
        Controller = true,
        BlockOwnerDeletion = true,
    };
}
