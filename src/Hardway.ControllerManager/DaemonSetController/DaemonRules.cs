using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;

namespace Hardway.ControllerManager;

/// <summary>Which nodes a DaemonSet's Pods belong on, and how such a Pod looks: pure.</summary>
internal static class DaemonRules
{
    private const string NameField = "metadata.name";

    private static readonly (string Key, string Effect)[] _borne =
    [
        ("node.kubernetes.io/not-ready", "NoExecute"), ("node.kubernetes.io/unreachable", "NoExecute"), ("node.kubernetes.io/disk-pressure", "NoSchedule"),
        ("node.kubernetes.io/memory-pressure", "NoSchedule"), ("node.kubernetes.io/pid-pressure", "NoSchedule"), ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ];

    /// <summary>Should a Pod be made there, and may one that is there stay?</summary>
    public static (bool Run, bool Stay) Judge(DaemonSet set, Node node)
    {
        var spec = WithTolerations(set.Spec.Template.Spec.Clone());
        if (spec.NodeName.Length > 0 && spec.NodeName != node.Metadata.Name) return (false, false);
        if (!NodeAffinityRules.Fits(spec, node)) return (false, false);
        var taints = node.Spec.Taints ?? [];
        if (taints.Exists(t => t.Effect == "NoExecute" && !Tolerations.Tolerates(spec.Tolerations, t))) return (false, false);
        return (!taints.Exists(t => t.Effect == "NoSchedule" && !Tolerations.Tolerates(spec.Tolerations, t)), true);
    }

    /// <summary>A Pod bound to the node by affinity, so that the scheduler places it, bearing what a daemon must bear.</summary>
    public static void Adjust(Pod pod, string node, string hash, long generation)
    {
        WithTolerations(pod.Spec);
        var labels = pod.Metadata.Labels ??= new Dictionary<string, string>(StringComparer.Ordinal);
        labels[RevisionHistory<DaemonSet>.Hash] = hash;
        labels["pod-template-generation"] = $"{generation}";
        var affinity = pod.Spec.Affinity ??= new Affinity();
        var required = (affinity.NodeAffinity ??= new NodeAffinity()).RequiredDuringSchedulingIgnoredDuringExecution ??= new NodeSelector();
        List<NodeSelectorRequirement> name = [new NodeSelectorRequirement { Key = NameField, Operator = "In", Values = [node] }];
        // Requirements of the template were judged when the node was chosen; only the node's name counts from here.
        required.NodeSelectorTerms = [new NodeSelectorTerm { MatchFields = name }];
    }

    /// <summary>The node a Pod is on or will be on.</summary>
    public static string NodeOf(Pod pod)
    {
        if (pod.Spec.NodeName.Length > 0) return pod.Spec.NodeName;
        foreach (var term in pod.Spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.NodeSelectorTerms ?? [])
        {
            if ((term.MatchFields ?? []).Find(f => f.Key == NameField && f.Operator == "In") is { Values: [var node, ..] }) return node;
        }
        return "";
    }

    public static int Unavailable(DaemonSet set, int nodes) => (set.Spec.UpdateStrategy.RollingUpdate?.MaxUnavailable ?? new IntOrString(1)).Scaled(nodes, roundUp: true) ?? 1;

    public static int Surge(DaemonSet set, int nodes) => (set.Spec.UpdateStrategy.RollingUpdate?.MaxSurge ?? new IntOrString(0)).Scaled(nodes, roundUp: true) ?? 0;

    private static PodSpec WithTolerations(PodSpec spec)
    {
        var tolerations = spec.Tolerations ??= [];
        foreach (var (key, effect) in _borne) Add(tolerations, key, effect);
        if (spec.HostNetwork) Add(tolerations, "node.kubernetes.io/network-unavailable", "NoSchedule");
        return spec;
    }

    private static void Add(List<Toleration> tolerations, string key, string effect)
    {
        if (!tolerations.Exists(t => t.Key == key && t.Effect == effect && t.Operator == "Exists")) tolerations.Add(new Toleration { Key = key, Operator = "Exists", Effect = effect });
    }
}
