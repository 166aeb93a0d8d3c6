using Hardway.Scheduler.Framework;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.Volumes;

/// <summary>Volumes that are labelled with a zone or region can only be used there. Several zones are joined by "__".</summary>
internal sealed class VolumeZone : Plugin, IPreFilter, IFilter
{
    private static readonly string[] s_labels =
        ["topology.kubernetes.io/zone", "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region"];

    private readonly Refusal _elsewhere = new(RefusalKind.UnschedulableAndUnresolvable, nameof(VolumeZone), "node(s) had no available volume zone");

    public override string Name => nameof(VolumeZone);

    public override ClusterEvents Wakes =>
        ClusterEvents.Claims | ClusterEvents.Volumes | ClusterEvents.StorageClasses | ClusterEvents.NodeAdded | ClusterEvents.NodeLabels;

    public override bool Helps(PodInfo pod, in ClusterEvent happened) =>
        happened.Kind != ClusterEvents.Claims || (happened.Namespace == pod.Namespace && Array.IndexOf(pod.ClaimNames, happened.Name) >= 0);

    public PreFilterAnswer PreFilter(Cycle cycle)
    {
        var zones = new List<(string Label, string[] Values)>();
        foreach (var name in cycle.Pod.ClaimNames)
        {
            var labels = cycle.Listers.Claim(cycle.Pod.Namespace, name) is { Spec.VolumeName.Length: > 0 } claim ? cycle.Listers.Volume(claim.Spec.VolumeName)?.Metadata.Labels : null;
            foreach (var label in s_labels)
            {
                if (labels?.TryGetValue(label, out var value) == true)
                {
                    zones.Add((label, value!.Split("__")));
                }
            }
        }

        if (zones.Count == 0)
        {
            return PreFilterAnswer.Skip;
        }

        cycle.Keep(this, zones);
        return PreFilterAnswer.Go;
    }

    public Refusal? Filter(Cycle cycle, NodeInfo node)
    {
        // A cluster without zones has no labels to compare.
        if (node.Labels is not { } labels || !Array.Exists(s_labels, labels.ContainsKey))
        {
            return null;
        }

        foreach (var (label, values) in cycle.Kept<List<(string Label, string[] Values)>>(this) ?? [])
        {
            var current = label.Replace("failure-domain.beta.kubernetes.io", "topology.kubernetes.io", StringComparison.Ordinal);
            if ((labels.GetValueOrDefault(label) ?? labels.GetValueOrDefault(current)) is not { } value || Array.IndexOf(values, value) < 0)
            {
                return _elsewhere;
            }
        }

        return null;
    }
}
