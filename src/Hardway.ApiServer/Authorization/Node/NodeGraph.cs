using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Authorization.Node;

/// <summary>
/// Which objects belong to a node: what the Pods bound to it name. Looked up in the cache for each question, in the one namespace that it
/// is about, so there is nothing to keep in step; mirror Pods, which the node itself makes, give it nothing.
/// </summary>
internal sealed class NodeGraph(IResourceReader reader)
{
    private const string MirrorAnnotation = "kubernetes.io/config.mirror";

    public bool Runs(string node, string ns, string pod) => reader.Get<Pod>(ns, pod)?.Spec.NodeName == node;

    public bool Uses(string node, string resource, string ns, string name) => resource switch
    {
        "secrets" => PodsOf(node, ns).Any(p => PodReferences.Secrets(p).Contains(name)) || IsVolumeSecret(node, ns, name),
        "configmaps" => PodsOf(node, ns).Any(p => PodReferences.ConfigMaps(p).Contains(name)),
        "persistentvolumeclaims" => PodsOf(node, ns).Any(p => PodReferences.Claims(p).Contains(name)),
        "serviceaccounts" => PodsOf(node, ns).Any(p => p.Spec.ServiceAccountName == name),
        "resourceclaims" => PodsOf(node, ns).Any(p => PodReferences.ResourceClaims(p).Contains(name)),
        "persistentvolumes" => reader.Get<PersistentVolume>("", name) is { } volume && IsMounted(node, volume),
        "volumeattachments" => reader.Get<VolumeAttachment>("", name)?.Spec.NodeName == node,
        _ => false,
    };

    private IEnumerable<Pod> PodsOf(string node, string ns) =>
        reader.List<Pod>(ns).Where(p => p.Spec.NodeName == node && !(p.Metadata.Annotations?.ContainsKey(MirrorAnnotation) ?? false));

    private bool IsMounted(string node, PersistentVolume volume) =>
        volume.Spec.ClaimRef is { } claim && PodsOf(node, claim.Namespace).Any(p => PodReferences.Claims(p).Contains(claim.Name));

    /// <summary>A Secret that a volume's driver needs on the node.</summary>
    private bool IsVolumeSecret(string node, string ns, string name) =>
        reader.List<PersistentVolume>().Any(v => PodReferences.SecretsOf(v).Any(s => s == (ns, name)) && IsMounted(node, v));
}
