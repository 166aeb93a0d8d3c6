using Hardway.Api.Core.V1;
using Hardway.Kubelet.Qos;
using Hardway.Kubelet.Status;

namespace Hardway.Kubelet.Sources;

/// <summary>The ConfigMaps and Secrets that a Pod's containers, volumes and images name. Pure.</summary>
internal static class PodReferences
{
    public static IReadOnlySet<string> ConfigMaps(Pod pod)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var container in PodQos.AllContainers(pod).Concat(PodStatusBuilder.Ephemeral(pod)))
        {
            names.UnionWith((container.EnvFrom ?? []).Select(f => f.ConfigMapRef?.Name).OfType<string>());
            names.UnionWith((container.Env ?? []).Select(e => e.ValueFrom?.ConfigMapKeyRef?.Name).OfType<string>());
        }
        names.UnionWith((pod.Spec.Volumes ?? []).Select(v => v.ConfigMap?.Name).OfType<string>());
        names.UnionWith(Projections(pod).Select(s => s.ConfigMap?.Name).OfType<string>());
        names.Remove("");
        return names;
    }

    public static IReadOnlySet<string> Secrets(Pod pod)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var container in PodQos.AllContainers(pod).Concat(PodStatusBuilder.Ephemeral(pod)))
        {
            names.UnionWith((container.EnvFrom ?? []).Select(f => f.SecretRef?.Name).OfType<string>());
            names.UnionWith((container.Env ?? []).Select(e => e.ValueFrom?.SecretKeyRef?.Name).OfType<string>());
        }
        names.UnionWith((pod.Spec.Volumes ?? []).Select(v => v.Secret?.SecretName).OfType<string>());
        names.UnionWith(Projections(pod).Select(s => s.Secret?.Name).OfType<string>());
        names.UnionWith((pod.Spec.ImagePullSecrets ?? []).Select(r => r.Name));
        names.Remove("");
        return names;
    }

    private static IEnumerable<VolumeProjection> Projections(Pod pod) => (pod.Spec.Volumes ?? []).SelectMany(v => v.Projected?.Sources ?? Enumerable.Empty<VolumeProjection>());
}
