namespace Hardway.ApiServer.Admission.Plugins.Nodes;

/// <summary>
/// Which labels a kubelet may put on its own Node: any outside of kubernetes.io and k8s.io, those below kubelet.kubernetes.io and
/// node.kubernetes.io, and some known ones. Never those below node-restriction.kubernetes.io, by which admins keep Pods off nodes.
/// </summary>
internal static class NodeLabels
{
    private static readonly HashSet<string> s_allowed = new(StringComparer.Ordinal)
    {
        "kubernetes.io/hostname", "kubernetes.io/arch", "kubernetes.io/os", "beta.kubernetes.io/instance-type", "beta.kubernetes.io/os", "beta.kubernetes.io/arch",
        "node.kubernetes.io/instance-type", "topology.kubernetes.io/zone", "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region", "failure-domain.kubernetes.io/zone", "failure-domain.kubernetes.io/region",
    };

    public static List<string> Restricted(IEnumerable<KeyValuePair<string, string>> labels) => [.. labels.Select(l => l.Key).Where(IsRestricted).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Labels that were added, changed or taken away.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Changed(Dictionary<string, string>? old, Dictionary<string, string>? updated) =>
        (updated ?? []).Where(l => old?.GetValueOrDefault(l.Key) != l.Value || !old.ContainsKey(l.Key)).Concat((old ?? []).Where(l => !(updated?.ContainsKey(l.Key) ?? false)));

    private static bool IsRestricted(string label)
    {
        var slash = label.IndexOf('/', StringComparison.Ordinal);
        var domain = slash < 0 ? "" : label[..slash];
        if (IsIn(domain, "node-restriction.kubernetes.io"))
        {
            return true;
        }

        return (IsIn(domain, "kubernetes.io") || IsIn(domain, "k8s.io"))
            && !s_allowed.Contains(label)
            && !IsIn(domain, "kubelet.kubernetes.io")
            && !IsIn(domain, "node.kubernetes.io");
    }

    private static bool IsIn(string domain, string parent) => domain == parent || domain.EndsWith("." + parent, StringComparison.Ordinal);
}
