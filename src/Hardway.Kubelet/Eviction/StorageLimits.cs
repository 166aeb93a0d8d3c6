using Hardway.Api;

namespace Hardway.Kubelet.Eviction;

/// <summary>Limits of local storage are kept by evicting who exceeds them: an emptyDir's size, a container's and a Pod's ephemeral-storage. Pure.</summary>
internal static class StorageLimits
{
    /// <summary>What is exceeded, or null.</summary>
    public static string? Exceeded(PodConsumption use)
    {
        foreach (var volume in use.Pod.Spec.Volumes ?? [])
        {
            if (volume.EmptyDir is { SizeLimit: { Sign: > 0 } limit } && use.EmptyDirs.TryGetValue(volume.Name, out var used) && used > limit.Value)
                return $"Usage of EmptyDir volume \"{volume.Name}\" exceeds the limit \"{limit}\".";
        }
        var total = Quantity.Zero;
        foreach (var container in use.Pod.Spec.Containers ?? [])
        {
            if (container.Resources.Limits?.TryGetValue("ephemeral-storage", out var limit) != true || limit.IsZero)
                continue;
            total += limit;
            if (use.Containers.FirstOrDefault(c => c.Name == container.Name) is { } one && one.LayerBytes + one.LogBytes > limit.Value)
                return $"Container {container.Name} exceeded its local ephemeral storage limit \"{limit}\".";
        }
        return !total.IsZero && use.Disk > total.Value ? $"Pod ephemeral local storage usage exceeds the total limit of containers {total}." : null;
    }

    /// <summary>Whether the Pod has any such limit, so that its files need to be counted.</summary>
    public static bool HasAny(Api.Core.V1.Pod pod) =>
        (pod.Spec.Volumes ?? []).Exists(v => v.EmptyDir?.SizeLimit is { Sign: > 0 }) || (pod.Spec.Containers ?? []).Exists(c => c.Resources.Limits?.ContainsKey("ephemeral-storage") == true);
}
