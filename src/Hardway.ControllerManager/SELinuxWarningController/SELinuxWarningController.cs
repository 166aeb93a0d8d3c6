using Hardway.Api.Core.V1;
using Hardway.Client;
using Hardway.Hosting;

namespace Hardway.ControllerManager;

/// <summary>
/// Warns of Pods that share a volume and want it under different SELinux labels, or relabelled in different ways (KEP-1710): on one node they could not both
/// run. Off by default. Keys are volumes' claims.
/// </summary>
internal sealed class SELinuxWarningController : ClusterController
{
    private const string ByClaim = "selinux-claim";
    private readonly EventRecorder _events;
    private readonly Informer<Pod> _pods;
    private readonly Gauge _conflicts;

    public SELinuxWarningController(ControllerContext context) : base("selinux-warning-controller", "selinux-warning-controller", context)
    {
        _events = EventsAs("selinux_warning");
        _conflicts = context.Metrics.Gauge("selinux_warning_controller_selinux_volume_conflict", "Conflicts of SELinux labels between Pods that share a volume.", "property", "pod1_namespace", "pod1_name", "pod2_namespace", "pod2_name");
        _pods = Watch<Pod>();
        _pods.Store.AddIndex(ByClaim, ClaimsOf);
        _pods.AddHandler(p => { foreach (var claim in ClaimsOf(p)) Queue.Add(claim); });
    }

    public override Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        var pods = _pods.Store.ByIndex(ByClaim, key).Where(p => !PodState.IsFinished(p)).OrderBy(p => p.Metadata.Name, StringComparer.Ordinal).ToList();
        for (var i = 0; i < pods.Count; i++)
        {
            for (var j = i + 1; j < pods.Count; j++) Compare(pods[i], pods[j], key);
        }
        return Task.CompletedTask;
    }

    /// <summary>The properties in which two Pods do not go together.</summary>
    internal static IEnumerable<(string Property, string Reason, string Left, string Right)> Conflicts(Pod one, Pod two)
    {
        var (left, right) = (LabelOf(one), LabelOf(two));
        if (left != right) yield return ("SELinuxLabel", "SELinuxLabelConflict", left, right);
        var (how, other) = (PolicyOf(one), PolicyOf(two));
        if (how != other) yield return ("SELinuxChangePolicy", "SELinuxChangePolicyConflict", how, other);
    }

    private void Compare(Pod one, Pod two, string claim)
    {
        foreach (var (property, reason, left, right) in Conflicts(one, two))
        {
            _conflicts.Set(1, property, one.Metadata.Namespace, one.Metadata.Name, two.Metadata.Namespace, two.Metadata.Name);
            _events.Normal(one, reason, $"{property} \"{left}\" conflicts with \"{right}\" of Pod {two.Metadata.Name}, which uses the same volume {claim}");
            _events.Normal(two, reason, $"{property} \"{right}\" conflicts with \"{left}\" of Pod {one.Metadata.Name}, which uses the same volume {claim}");
        }
    }

    private static string LabelOf(Pod pod)
    {
        var options = pod.Spec.SecurityContext?.SeLinuxOptions ?? (pod.Spec.Containers ?? []).Select(c => c.SecurityContext?.SeLinuxOptions).FirstOrDefault(o => o is not null);
        return options is null ? "" : $"{options.User}:{options.Role}:{options.Type}:{options.Level}";
    }

    private static string PolicyOf(Pod pod) => pod.Spec.SecurityContext?.SeLinuxChangePolicy ?? "MountOption";

    private static IEnumerable<string> ClaimsOf(Pod pod)
    {
        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            if (volume.PersistentVolumeClaim is { } source) yield return KubeKey.Of(pod.Metadata.Namespace, source.ClaimName);
        }
    }
}
