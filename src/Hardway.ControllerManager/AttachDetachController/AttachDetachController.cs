using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Api.Storage.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// Keeps a VolumeAttachment for every CSI volume on every node whose Pods need it; the driver's attacher does the work:
/// <code>
/// 1 needed and missing: make it, unless the volume may be on one node only and is on another      2 not needed: when the kubelet has unmounted it
///   (status.volumesInUse), or the node is dead (six minutes not ready, or out of service): take it out of the node's status, then remove it
/// 3 the node's status.volumesAttached says what is attached: the kubelet mounts nothing else
/// </code>
/// Only nodes whose kubelet leaves attaching to us (annotation controller-managed-attach-detach). Keys are nodes.
/// </summary>
internal sealed class AttachDetachController : ClusterController
{
    private const string Managed = "volumes.kubernetes.io/controller-managed-attach-detach";
    private const string OutOfService = "node.kubernetes.io/out-of-service";
    private const string ByNode = "node", ByVolume = "volume";
    private static readonly TimeSpan _forceAfter = TimeSpan.FromMinutes(6);
    private readonly EventRecorder _events;
    private readonly Informer<Pod> _pods;
    private readonly Informer<Node> _nodes;
    private readonly Informer<PersistentVolumeClaim> _claims;
    private readonly Informer<PersistentVolume> _volumes;
    private readonly Informer<VolumeAttachment> _attachments;
    private readonly NodeVolumes _needed;
    private readonly bool _mayForce;

    public AttachDetachController(ControllerContext context) : base("persistentvolume-attach-detach-controller", "attachdetach-controller", context)
    {
        Workers = 1;
        _mayForce = !context.Options.DisableForceDetachOnTimeout;
        _events = EventsAs("attachdetach-controller");
        _pods = Watch<Pod>().AddPodIndexes();
        _nodes = Watch<Node>();
        _claims = Watch<PersistentVolumeClaim>();
        _volumes = Watch<PersistentVolume>();
        _attachments = Watch<VolumeAttachment>();
        _needed = new NodeVolumes(_pods, _claims, _volumes, Watch<CSIDriver>());
        _attachments.Store.AddIndex(ByNode, a => [a.Spec.NodeName]);
        _attachments.Store.AddIndex(ByVolume, a => a.Spec.Source.PersistentVolumeName is { } name ? [name] : []);
        _pods.AddHandler(PodChanged, (_, p) => PodChanged(p), PodChanged);
        _nodes.AddHandler(n => Queue.Add(n.Metadata.Name));
        _attachments.AddHandler(AttachmentChanged);
        _claims.AddHandler(added: ClaimChanged, updated: (_, c) => ClaimChanged(c));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        var node = _nodes.Store.Get(key);
        if (node is not null && node.Metadata.Annotations?.GetValueOrDefault(Managed) != "true") return;
        var wanted = node is null ? [] : _needed.Wanted(key);
        var attachments = _attachments.Store.ByIndex(ByNode, key).Where(a => a.Spec.Source.PersistentVolumeName is not null).ToList();
        foreach (var (name, (volume, pods)) in wanted)
        {
            if (!attachments.Exists(a => a.Spec.Source.PersistentVolumeName == name)) await AttachAsync(key, volume, pods, cancellationToken);
        }
        // One of a volume that is not there was not made here: a volume stays until it is detached.
        var leaving = attachments.Where(a => _volumes.Store.Get(a.Spec.Source.PersistentVolumeName!) is not null && !wanted.ContainsKey(a.Spec.Source.PersistentVolumeName!) && a.Metadata.DeletionTimestamp is null && MayDetach(key, node, a)).ToList();
        // The status says first that it is going: a kubelet that reads it mounts it no more.
        if (node is not null) await WriteAttachedAsync(node, attachments.Except(leaving), cancellationToken);
        foreach (var attachment in leaving)
            await Client.DeleteAsync<VolumeAttachment>(null, attachment.Metadata.Name, new DeleteOptions { Preconditions = new Preconditions { Uid = attachment.Metadata.Uid } }, cancellationToken);
    }

    private async Task AttachAsync(string node, PersistentVolume volume, List<Pod> pods, CancellationToken ct)
    {
        if (NodeVolumes.IsExclusive(volume) && Array.Find(_attachments.Store.ByIndex(ByVolume, volume.Metadata.Name), a => a.Spec.NodeName != node) is { } other)
        {
            foreach (var pod in pods) _events.Warning(pod, "FailedAttachVolume", $"Multi-Attach error for volume \"{volume.Metadata.Name}\": it may be on one node only and is on {other.Spec.NodeName}");
            return;
        }
        var attachment = new VolumeAttachment
        {
            Metadata = new ObjectMeta { Name = NodeVolumes.AttachmentName(volume, node) },
            Spec = new VolumeAttachmentSpec { Attacher = volume.Spec.Csi!.Driver, NodeName = node, Source = new VolumeAttachmentSource { PersistentVolumeName = volume.Metadata.Name } },
        };
        try
        {
            await Client.CreateAsync(attachment, ct);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
        }
        catch (ApiException e)
        {
            foreach (var pod in pods) _events.Warning(pod, "FailedAttachVolume", $"volume \"{volume.Metadata.Name}\" cannot be attached: {e.Message}");
            throw;
        }
    }

    private bool MayDetach(string key, Node? node, VolumeAttachment attachment)
    {
        if (node is null || (node.Spec.Taints ?? []).Exists(t => t.Key == OutOfService)) return true;
        if (_volumes.Store.Get(attachment.Spec.Source.PersistentVolumeName!) is not { Spec.Csi: not null } volume) return true;
        if (node.Status.VolumesInUse?.Contains(NodeVolumes.UniqueName(volume)) != true) return true;
        // In use by a kubelet that does not answer: after a while the volume is more wanted elsewhere than safe here.
        if (!_mayForce || NodeHealth.Ready(node) is not { Status: not "True", LastTransitionTime: { } since }) return false;
        var left = since + _forceAfter - Time.GetUtcNow();
        if (left > TimeSpan.Zero) Queue.AddAfter(key, left);
        return left <= TimeSpan.Zero;
    }

    private async Task WriteAttachedAsync(Node node, IEnumerable<VolumeAttachment> attachments, CancellationToken ct)
    {
        var attached = attachments.Where(a => a.Status.Attached && a.Metadata.DeletionTimestamp is null).Select(a => _volumes.Store.Get(a.Spec.Source.PersistentVolumeName!)).Where(v => v?.Spec.Csi is not null)
            .Select(v => NodeVolumes.UniqueName(v!)).Order(StringComparer.Ordinal).ToList();
        if (attached.SequenceEqual((node.Status.VolumesAttached ?? []).Select(v => v.Name).Order(StringComparer.Ordinal), StringComparer.Ordinal)) return;
        var list = new JsonArray([.. attached.Select(n => (JsonNode)new JsonObject { ["name"] = n, ["devicePath"] = "" })]);
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = node.Metadata.Uid }, ["status"] = new JsonObject { ["volumesAttached"] = list } };
        await Client.PatchAsync<Node>(null, node.Metadata.Name, PatchType.Merge, Encoding.UTF8.GetBytes(patch.ToJsonString()), ct, "status");
    }

    private void PodChanged(Pod pod)
    {
        if (pod.Spec.NodeName.Length > 0 && (pod.Spec.Volumes ?? []).Exists(v => v.PersistentVolumeClaim is not null || v.Ephemeral is not null)) Queue.Add(pod.Spec.NodeName);
    }

    private void ClaimChanged(PersistentVolumeClaim claim)
    {
        if (claim.Status.Phase != "Bound") return;
        foreach (var pod in _pods.Store.List(claim.Metadata.Namespace)) PodChanged(pod);
    }

    private void AttachmentChanged(VolumeAttachment attachment)
    {
        Queue.Add(attachment.Spec.NodeName);
        if (attachment.Spec.Source.PersistentVolumeName is not { } name) return;
        if (attachment.Status.Attached || attachment.Status.AttachError is not null) Tell(attachment, name);
        // Another node may wait for an exclusive volume: those whose Pods want it.
        if (_volumes.Store.Get(name)?.Spec.ClaimRef is { } reference && _claims.Store.Get(reference.Namespace, reference.Name) is { } claim) ClaimChanged(claim);
    }

    private void Tell(VolumeAttachment attachment, string volume)
    {
        foreach (var pod in _needed.Wanted(attachment.Spec.NodeName).GetValueOrDefault(volume).Pods ?? [])
        {
            if (attachment.Status.Attached) _events.Normal(pod, "SuccessfulAttachVolume", $"volume \"{volume}\" is attached");
            else _events.Warning(pod, "FailedAttachVolume", $"volume \"{volume}\" cannot be attached: {attachment.Status.AttachError!.Message}");
        }
    }
}
