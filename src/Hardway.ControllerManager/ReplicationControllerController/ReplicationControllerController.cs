using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>ReplicationControllers: ReplicaSets' older form, see <see cref="ReplicaController{T}"/>.</summary>
internal sealed class ReplicationControllerController(ControllerContext context) : ReplicaController<ReplicationController>("replicationcontroller-controller", "replication-controller", context)
{
    protected override int Replicas(ReplicationController owner) => owner.Spec.Replicas ?? 1;

    protected override int MinReadySeconds(ReplicationController owner) => owner.Spec.MinReadySeconds;

    protected override Selector SelectorOf(ReplicationController owner) => owner.Spec.Selector is { Count: > 0 } map ? Selector.FromMap(map) : Selector.Nothing;

    protected override PodTemplateSpec TemplateOf(ReplicationController owner) => owner.Spec.Template ?? new PodTemplateSpec();

    protected override ReplicationController? WithStatus(ReplicationController owner, ReplicaCounts counts, string? failureReason, string? failureMessage)
    {
        var changed = owner.Clone();
        var status = changed.Status;
        status.Replicas = counts.Total;
        status.FullyLabeledReplicas = counts.FullyLabeled;
        status.ReadyReplicas = counts.Ready;
        status.AvailableReplicas = counts.Available;
        status.ObservedGeneration = owner.Metadata.Generation;
        status.Conditions?.RemoveAll(c => c.Type == "ReplicaFailure" && failureReason is null);
        if (failureReason is not null && status.Conditions?.Exists(c => c.Type == "ReplicaFailure") != true)
        {
            (status.Conditions ??= []).Add(new ReplicationControllerCondition { Type = "ReplicaFailure", Status = "True", Reason = failureReason, Message = failureMessage ?? "", LastTransitionTime = Time.GetUtcNow() });
        }
        return ApiStruct.DeepEquals(status, owner.Status) ? null : changed;
    }
}
