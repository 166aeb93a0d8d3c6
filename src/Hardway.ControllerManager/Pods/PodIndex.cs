using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>The shared Pod informer's indexes.</summary>
internal static class PodIndex
{
    private const string ByOwner = "controller-uid";
    private const string Orphans = "orphan-namespace";
    private const string ByNode = "node";

    public static Informer<Pod> AddPodIndexes(this Informer<Pod> pods)
    {
        pods.Store.AddIndex(ByOwner, p => OwnerReferences.ControllerOf(p) is { } owner ? [owner.Uid] : []);
        pods.Store.AddIndex(Orphans, p => OwnerReferences.ControllerOf(p) is null ? [p.Metadata.Namespace] : []);
        pods.Store.AddIndex(ByNode, p => p.Spec.NodeName.Length > 0 ? [p.Spec.NodeName] : []);
        return pods;
    }

    public static Pod[] OwnedBy(this Informer<Pod> pods, string uid) => pods.Store.ByIndex(ByOwner, uid);

    /// <summary>Pods that the owner has and Pods that nobody has: all it could claim.</summary>
    public static IEnumerable<Pod> Claimable(this Informer<Pod> pods, string uid, string ns) => pods.Store.ByIndex(ByOwner, uid).Concat(pods.Store.ByIndex(Orphans, ns));

    public static Pod[] OnNode(this Informer<Pod> pods, string node) => pods.Store.ByIndex(ByNode, node);
}
