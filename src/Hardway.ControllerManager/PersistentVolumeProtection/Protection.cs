using Hardway.Api;

namespace Hardway.ControllerManager;

/// <summary>The finalizer that keeps an object while it is used: on it as long as it lives, off it when it is being deleted and nobody needs it.</summary>
internal static class Protection
{
    public static bool IsDeleting(KubeObject obj) => obj.Metadata.DeletionTimestamp is not null;

    /// <summary>A copy with the finalizer added, or dropped when it is being deleted; null: it is so already.</summary>
    public static T? Toggled<T>(T obj, string finalizer) where T : KubeObject, IApiType<T>, new()
    {
        var has = obj.Metadata.Finalizers?.Contains(finalizer) == true;
        if (has != IsDeleting(obj)) return null;
        var changed = obj.Clone();
        if (has) changed.Metadata.Finalizers!.Remove(finalizer);
        else (changed.Metadata.Finalizers ??= []).Add(finalizer);
        return changed;
    }
}
