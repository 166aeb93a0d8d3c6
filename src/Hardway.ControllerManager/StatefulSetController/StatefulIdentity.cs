using System.Globalization;
using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Names, labels, volumes and claims of a StatefulSet's Pods: pure.</summary>
internal static class StatefulIdentity
{
    private const string PodName = "statefulset.kubernetes.io/pod-name";
    private const string PodIndexLabel = "apps.kubernetes.io/pod-index";

    public static int Start(StatefulSet set) => set.Spec.Ordinals?.Start ?? 0;

    public static int Replicas(StatefulSet set) => set.Spec.Replicas ?? 1;

    public static bool IsOrdered(StatefulSet set) => set.Spec.PodManagementPolicy != "Parallel";

    /// <summary>How many of its Pods a rolling update may keep from being available; at least one.</summary>
    public static int MaxUnavailable(StatefulSet set) => Math.Max(1, (set.Spec.UpdateStrategy.RollingUpdate?.MaxUnavailable ?? new IntOrString(1)).Scaled(Replicas(set), roundUp: false) ?? 1);

    /// <summary>The ordinal in a Pod's name, or null when the name is not of this set.</summary>
    public static int? OrdinalOf(StatefulSet set, string pod)
    {
        var prefix = set.Metadata.Name + "-";
        return pod.StartsWith(prefix, StringComparison.Ordinal) && int.TryParse(pod.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal) ? ordinal : null;
    }

    public static string NameOf(StatefulSet set, int ordinal) => string.Create(CultureInfo.InvariantCulture, $"{set.Metadata.Name}-{ordinal}");

    public static string RevisionOf(Pod pod) => pod.Metadata.Labels?.GetValueOrDefault(RevisionHistory<StatefulSet>.Hash) ?? "";

    public static Pod NewPod(StatefulSet set, int ordinal, PodTemplateSpec template, string revision) => PodControl.FromTemplate(template, set, pod =>
    {
        var name = NameOf(set, ordinal);
        pod.Metadata.GenerateName = "";
        pod.Metadata.Name = name;
        var labels = pod.Metadata.Labels ??= new Dictionary<string, string>(StringComparer.Ordinal);
        labels[PodName] = name;
        labels[PodIndexLabel] = ordinal.ToString(CultureInfo.InvariantCulture);
        labels[RevisionHistory<StatefulSet>.Hash] = revision;
        pod.Spec.Hostname = name;
        pod.Spec.Subdomain = set.Spec.ServiceName;
        var claims = (set.Spec.VolumeClaimTemplates ?? []).ConvertAll(c => new Volume { Name = c.Metadata.Name, PersistentVolumeClaim = new PersistentVolumeClaimVolumeSource { ClaimName = ClaimName(set, c, ordinal) } });
        if (claims.Count == 0) return;
        pod.Spec.Volumes = [.. claims, .. (pod.Spec.Volumes ?? []).Where(v => !claims.Exists(c => c.Name == v.Name))];
    });

    public static IEnumerable<PersistentVolumeClaim> Claims(StatefulSet set, int ordinal)
    {
        foreach (var template in set.Spec.VolumeClaimTemplates ?? [])
        {
            var claim = template.Clone();
            claim.Metadata = new ObjectMeta
            {
                Namespace = set.Metadata.Namespace,
                Name = ClaimName(set, template, ordinal),
                Labels = new Dictionary<string, string>((template.Metadata.Labels ?? []).Concat(set.Spec.Selector?.MatchLabels ?? []).DistinctBy(l => l.Key), StringComparer.Ordinal),
                Annotations = template.Metadata.Annotations,
                OwnerReferences = set.Spec.PersistentVolumeClaimRetentionPolicy?.WhenDeleted == "Delete" ? [OwnerReferences.Controlling(set)] : null,
            };
            claim.Status = new PersistentVolumeClaimStatus();
            yield return claim;
        }
    }

    public static string ClaimName(StatefulSet set, PersistentVolumeClaim template, int ordinal) => string.Create(CultureInfo.InvariantCulture, $"{template.Metadata.Name}-{set.Metadata.Name}-{ordinal}");

    public static bool IsHealthy(Pod pod) => pod.Status.Phase == "Running" && PodState.IsReady(pod) && !PodState.IsTerminating(pod);
}
