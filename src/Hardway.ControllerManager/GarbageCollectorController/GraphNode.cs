using Hardway.Api.Meta.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// An object in the ownership graph, by UID. Written by the graph's owner under its lock; workers read a snapshot. A virtual node stands for an
/// owner that somebody names and no informer has shown.
/// </summary>
internal sealed class GraphNode(string uid)
{
    public string Uid { get; } = uid;
    public ApiResource? Resource { get; set; }
    public string Namespace { get; set; } = "";
    public string Name { get; set; } = "";
    public List<OwnerReference> Owners { get; set; } = [];
    public HashSet<GraphNode> Dependents { get; } = [];
    public bool IsVirtual { get; set; }
    public bool IsBeingDeleted { get; set; }

    /// <summary>Foreground deletion: waits for its dependents.</summary>
    public bool IsDeletingDependents { get; set; }

    public override string ToString() => $"{Resource} {KubeKey.Of(Namespace, Name)} ({Uid})";
}
