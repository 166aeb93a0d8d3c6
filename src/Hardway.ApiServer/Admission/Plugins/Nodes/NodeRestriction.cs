using Hardway.Api;
using Hardway.Api.Coordination.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Resource.V1;
using Hardway.Api.Storage.V1;
using Hardway.ApiServer.Authorization.Node;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using TokenRequest = Hardway.Api.Authentication.V1.TokenRequest;

namespace Hardway.ApiServer.Admission.Plugins.Nodes;

/// <summary>
/// Keeps a kubelet to what is its own: its Node (without the labels and taints that steer where Pods go), the status of its Pods, mirror
/// Pods bound to itself, tokens for its Pods, its Lease, CSINode and resource slices. Requests of others pass.
/// </summary>
internal sealed class NodeRestriction(IResourceReader reader) : AdmissionPlugin
{
    public override string Name => "NodeRestriction";

    public override AdmissionOperation Operations => AdmissionOperation.Create | AdmissionOperation.Update | AdmissionOperation.Delete;

    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (NodeAuthorizer.NodeOf(attributes.User) is not { } node)
        {
            if (attributes.User.InGroup(Http.UserInfo.NodesGroup))
            {
                throw Refuse(attributes, $"could not determine node from user \"{attributes.User.Name}\"");
            }

            return;
        }

        switch (attributes.Group, attributes.Resource)
        {
            case ("", "pods"):
                await CheckPodAsync(attributes, node, cancellationToken).ConfigureAwait(false);
                break;
            case ("", "nodes"):
                CheckNode(attributes, node);
                break;
            case ("", "persistentvolumeclaims"):
                CheckClaim(attributes);
                break;
            case ("", "serviceaccounts"):
                await CheckTokenAsync(attributes, node, cancellationToken).ConfigureAwait(false);
                break;
            case ("coordination.k8s.io", "leases"):
                CheckOwn(attributes, node, attributes.Object as Lease, "can only access node lease with the same name as the requesting node");
                if (attributes.Namespace != "kube-node-lease")
                {
                    throw Refuse(attributes, "can only access leases in the \"kube-node-lease\" system namespace");
                }

                break;
            case ("storage.k8s.io", "csinodes"):
                CheckOwn(attributes, node, attributes.Object as CSINode, "can only access CSINode with the same name as the requesting node");
                break;
            case ("resource.k8s.io", "resourceslices"):
                CheckSlice(attributes, node);
                break;
        }
    }

    private async ValueTask CheckPodAsync(AdmissionAttributes a, string node, CancellationToken cancellationToken)
    {
        switch (a.Subresource, a.Operation)
        {
            case ("", AdmissionOperation.Create):
                await CheckMirrorAsync(a, (Pod)a.Object!, node, cancellationToken).ConfigureAwait(false);
                break;
            case ("", AdmissionOperation.Delete):
                await CheckRunsAsync(a, a.Name, node, "can only delete pods with spec.nodeName set to itself", cancellationToken).ConfigureAwait(false);
                break;
            case ("status", AdmissionOperation.Update):
                CheckStatus(a, (Pod)a.Object!, (Pod)a.OldObject!, node);
                break;
            case ("eviction", AdmissionOperation.Create):
                var name = (a.Object as KubeObject)?.Metadata.Name is { Length: > 0 } given ? given : a.Name;
                await CheckRunsAsync(a, name, node, "can only evict pods with spec.nodeName set to itself", cancellationToken).ConfigureAwait(false);
                break;
            default:
                throw Refuse(a, $"unexpected pod {a.Operation.ToString().ToLowerInvariant()} of \"{a.Subresource}\" by node \"{node}\"");
        }
    }

    private async ValueTask CheckMirrorAsync(AdmissionAttributes a, Pod pod, string node, CancellationToken cancellationToken)
    {
        if (!Pods.PodSpecs.IsMirror(pod))
        {
            throw Refuse(a, $"pod does not have \"{Pods.PodSpecs.MirrorAnnotation}\" annotation, node \"{node}\" can only create mirror pods");
        }

        if (pod.Spec.NodeName != node)
        {
            throw Refuse(a, $"node \"{node}\" can only create pods with spec.nodeName set to itself");
        }

        if (pod.Metadata.OwnerReferences is not [var owner])
        {
            throw Refuse(a, $"node \"{node}\" can only create pods with an owner reference set to itself");
        }

        if (owner is not { ApiVersion: "v1", Kind: "Node", Controller: true } || owner.Name != node || owner.BlockOwnerDeletion == true)
        {
            throw Refuse(a, $"node \"{node}\" can only create pods with an owner reference to itself that is the controller and does not block its deletion");
        }

        var self = reader.Get<Node>("", node) ?? await reader.GetFreshAsync<Node>("", node, cancellationToken).ConfigureAwait(false);
        if (self?.Metadata.Uid != owner.Uid)
        {
            throw Refuse(a, $"node \"{node}\" can only create pods whose owner reference has the node's own uid");
        }

        if (pod.Spec.ServiceAccountName.Length > 0 || PodReferences.Secrets(pod).Any() || PodReferences.ConfigMaps(pod).Any() || PodReferences.Claims(pod).Any() || pod.Spec.ResourceClaims is { Count: > 0 })
        {
            throw Refuse(a, $"node \"{node}\" can not create pods that reference service accounts, secrets, configmaps, claims or resource claims");
        }
    }

    private static void CheckStatus(AdmissionAttributes a, Pod pod, Pod old, string node)
    {
        if (old.Spec.NodeName != node)
        {
            throw Refuse(a, $"node \"{node}\" can only update pod status for pods with spec.nodeName set to itself");
        }

        if (!SameLabels(old.Metadata.Labels, pod.Metadata.Labels))
        {
            throw Refuse(a, $"node \"{node}\" cannot update labels through pod status");
        }
    }

    private async ValueTask CheckRunsAsync(AdmissionAttributes a, string name, string node, string why, CancellationToken cancellationToken)
    {
        var pod = a.OldObject as Pod ?? reader.Get<Pod>(a.Namespace, name) ?? await reader.GetFreshAsync<Pod>(a.Namespace, name, cancellationToken).ConfigureAwait(false) ?? throw Statuses.NotFound("", "pods", name);
        if (pod.Spec.NodeName != node)
        {
            throw Refuse(a, $"node \"{node}\" {why}");
        }
    }

    private static void CheckNode(AdmissionAttributes a, string node)
    {
        var name = a.Object is Node given ? given.Metadata.Name : a.Name;
        if (name != node)
        {
            throw Refuse(a, $"node \"{node}\" is not allowed to modify node \"{name}\"");
        }

        if (a is { Operation: AdmissionOperation.Create, Object: Node created })
        {
            if (created.Spec.ConfigSource is not null)
            {
                throw Refuse(a, $"node \"{node}\" is not allowed to create pods with a non-nil configSource");
            }

            if (NodeLabels.Restricted(created.Metadata.Labels ?? []) is { Count: > 0 } labels)
            {
                throw Refuse(a, $"node \"{node}\" is not allowed to set the following labels: {string.Join(", ", labels)}");
            }
        }

        if (a is { Operation: AdmissionOperation.Update, Object: Node updated, OldObject: Node old })
        {
            CheckNodeUpdate(a, updated, old, node);
        }
    }

    private static void CheckNodeUpdate(AdmissionAttributes a, Node updated, Node old, string node)
    {
        if (!SameLists(updated.Spec.Taints, old.Spec.Taints))
        {
            throw Refuse(a, $"node \"{node}\" is not allowed to modify taints");
        }

        if (!SameLists(updated.Metadata.OwnerReferences, old.Metadata.OwnerReferences))
        {
            throw Refuse(a, $"node \"{node}\" is not allowed to modify ownerReferences");
        }

        if (updated.Spec.ConfigSource is not null && !ApiStruct.DeepEquals(updated.Spec.ConfigSource, old.Spec.ConfigSource))
        {
            throw Refuse(a, $"node \"{node}\" is not allowed to update configSource to a new non-nil configSource");
        }

        if (NodeLabels.Restricted(NodeLabels.Changed(old.Metadata.Labels, updated.Metadata.Labels)) is { Count: > 0 } labels)
        {
            throw Refuse(a, $"is not allowed to modify labels: {string.Join(", ", labels)}");
        }
    }

    private static void CheckClaim(AdmissionAttributes a)
    {
        if (a is not { Operation: AdmissionOperation.Update, Subresource: "status" })
        {
            throw Refuse(a, "may only update the status of a PersistentVolumeClaim");
        }

        var (updated, old) = ((PersistentVolumeClaim)a.Object!.DeepClone(), (PersistentVolumeClaim)a.OldObject!);
        updated.Status = old.Status;
        if (!ApiStruct.DeepEquals(updated.Spec, old.Spec))
        {
            throw Refuse(a, "node is not allowed to update fields other than status quantity and conditions of a PersistentVolumeClaim");
        }
    }

    private async ValueTask CheckTokenAsync(AdmissionAttributes a, string node, CancellationToken cancellationToken)
    {
        if (a is not { Subresource: "token", Object: TokenRequest request })
        {
            return;
        }

        if (request.Spec.BoundObjectRef is not { ApiVersion: "v1", Kind: "Pod", Name.Length: > 0 } bound)
        {
            throw Refuse(a, "node requested token not bound to a pod");
        }

        if (bound.Uid.Length == 0)
        {
            throw Refuse(a, "node requested token with a pod binding without a uid");
        }

        var pod = reader.Get<Pod>(a.Namespace, bound.Name) ?? await reader.GetFreshAsync<Pod>(a.Namespace, bound.Name, cancellationToken).ConfigureAwait(false) ?? throw Statuses.NotFound("", "pods", bound.Name);
        if (pod.Metadata.Uid != bound.Uid)
        {
            throw Refuse(a, $"the UID in the bound object reference ({bound.Uid}) does not match the UID in record; the object may have been deleted and made again");
        }

        if (pod.Spec.NodeName != node)
        {
            throw Refuse(a, "node requested token bound to a pod scheduled on a different node");
        }
    }

    private static void CheckOwn(AdmissionAttributes a, string node, KubeObject? value, string why)
    {
        if ((value?.Metadata.Name is { Length: > 0 } given ? given : a.Name) != node)
        {
            throw Refuse(a, why);
        }
    }

    private static void CheckSlice(AdmissionAttributes a, string node)
    {
        var slice = a.Operation == AdmissionOperation.Create ? a.Object as ResourceSlice : a.OldObject as ResourceSlice;
        if (slice is not null && slice.Spec.NodeName != node)
        {
            throw Refuse(a, "can only create, change and delete ResourceSlices with the same NodeName as the requesting node");
        }
    }

    private static bool SameLabels(Dictionary<string, string>? a, Dictionary<string, string>? b) =>
        (a?.Count ?? 0) == (b?.Count ?? 0) && (a ?? []).All(p => b!.TryGetValue(p.Key, out var value) && value == p.Value);

    private static bool SameLists<T>(List<T>? a, List<T>? b)
        where T : ApiStruct => (a?.Count ?? 0) == (b?.Count ?? 0) && (a ?? []).Zip(b ?? []).All(p => ApiStruct.DeepEquals(p.First, p.Second));

    private static ApiException Refuse(AdmissionAttributes a, string why) => Statuses.Forbidden(a.Group, a.Resource, a.Name, why);
}
