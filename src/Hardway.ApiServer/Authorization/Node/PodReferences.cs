using Hardway.Api.Core.V1;

namespace Hardway.ApiServer.Authorization.Node;

/// <summary>The names of the objects of its namespace that a Pod needs on its node.</summary>
internal static class PodReferences
{
    public static IEnumerable<string> Secrets(Pod pod)
    {
        foreach (var pull in pod.Spec.ImagePullSecrets ?? [])
        {
            yield return pull.Name;
        }

        foreach (var (env, from) in Environment(pod))
        {
            if ((env?.ValueFrom?.SecretKeyRef?.Name ?? from?.SecretRef?.Name) is { Length: > 0 } name)
            {
                yield return name;
            }
        }

        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            foreach (var name in SecretsOf(volume))
            {
                yield return name;
            }
        }
    }

    public static IEnumerable<string> ConfigMaps(Pod pod)
    {
        foreach (var (env, from) in Environment(pod))
        {
            if ((env?.ValueFrom?.ConfigMapKeyRef?.Name ?? from?.ConfigMapRef?.Name) is { Length: > 0 } name)
            {
                yield return name;
            }
        }

        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            if (volume.ConfigMap is { } map)
            {
                yield return map.Name;
            }

            foreach (var projection in volume.Projected?.Sources ?? [])
            {
                if (projection.ConfigMap is { } projected)
                {
                    yield return projected.Name;
                }
            }
        }
    }

    public static IEnumerable<string> Claims(Pod pod)
    {
        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            if (volume.PersistentVolumeClaim is { } claim)
            {
                yield return claim.ClaimName;
            }

            if (volume.Ephemeral is not null)
            {
                yield return pod.Metadata.Name + "-" + volume.Name;
            }
        }
    }

    public static IEnumerable<string> ResourceClaims(Pod pod)
    {
        foreach (var claim in pod.Spec.ResourceClaims ?? [])
        {
            if (claim.ResourceClaimName is { } name)
            {
                yield return name;
            }
        }

        foreach (var status in pod.Status.ResourceClaimStatuses ?? [])
        {
            if (status.ResourceClaimName is { } name)
            {
                yield return name;
            }
        }
    }

    /// <summary>Secrets that mounting a persistent volume needs, with their namespaces.</summary>
    public static IEnumerable<(string Namespace, string Name)> SecretsOf(PersistentVolume volume)
    {
        var own = volume.Spec.ClaimRef?.Namespace ?? "";
        if (volume.Spec.Csi is { } csi)
        {
            foreach (var reference in new[] { csi.NodePublishSecretRef, csi.NodeStageSecretRef, csi.NodeExpandSecretRef })
            {
                if (reference is not null)
                {
                    yield return (reference.Namespace, reference.Name);
                }
            }
        }

        if (volume.Spec.Cephfs?.SecretRef is { } ceph)
        {
            yield return (ceph.Namespace.Length > 0 ? ceph.Namespace : own, ceph.Name);
        }

        if (volume.Spec.Rbd?.SecretRef is { } rbd)
        {
            yield return (rbd.Namespace.Length > 0 ? rbd.Namespace : own, rbd.Name);
        }

        if (volume.Spec.Iscsi?.SecretRef is { } iscsi)
        {
            yield return (iscsi.Namespace.Length > 0 ? iscsi.Namespace : own, iscsi.Name);
        }

        if (volume.Spec.FlexVolume?.SecretRef is { } flex)
        {
            yield return (flex.Namespace.Length > 0 ? flex.Namespace : own, flex.Name);
        }
    }

    private static IEnumerable<string> SecretsOf(Volume volume)
    {
        if (volume.Secret is { } secret)
        {
            yield return secret.SecretName;
        }

        foreach (var projection in volume.Projected?.Sources ?? [])
        {
            if (projection.Secret is { } projected)
            {
                yield return projected.Name;
            }
        }

        if ((volume.Csi?.NodePublishSecretRef?.Name ?? volume.Cephfs?.SecretRef?.Name ?? volume.Rbd?.SecretRef?.Name ?? volume.Iscsi?.SecretRef?.Name ?? volume.FlexVolume?.SecretRef?.Name) is { Length: > 0 } other)
        {
            yield return other;
        }
    }

    private static IEnumerable<(EnvVar? Env, EnvFromSource? From)> Environment(Pod pod)
    {
        foreach (var container in pod.Spec.Containers ?? [])
        {
            foreach (var pair in Of(container.Env, container.EnvFrom))
            {
                yield return pair;
            }
        }

        foreach (var container in pod.Spec.InitContainers ?? [])
        {
            foreach (var pair in Of(container.Env, container.EnvFrom))
            {
                yield return pair;
            }
        }

        foreach (var container in pod.Spec.EphemeralContainers ?? [])
        {
            foreach (var pair in Of(container.Env, container.EnvFrom))
            {
                yield return pair;
            }
        }

        static IEnumerable<(EnvVar?, EnvFromSource?)> Of(List<EnvVar>? env, List<EnvFromSource>? from) =>
            (env ?? []).Select(e => ((EnvVar?)e, (EnvFromSource?)null)).Concat((from ?? []).Select(f => ((EnvVar?)null, (EnvFromSource?)f)));
    }
}
