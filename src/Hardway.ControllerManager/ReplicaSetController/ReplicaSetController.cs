using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>ReplicaSets: see <see cref="ReplicaController{T}"/>.</summary>
internal sealed class ReplicaSetController(ControllerContext context) : ReplicaController<ReplicaSet>("replicaset-controller", "replicaset-controller", context)
{
    protected override int Replicas(ReplicaSet owner) => owner.Spec.Replicas ?? 1;

    protected override int MinReadySeconds(ReplicaSet owner) => owner.Spec.MinReadySeconds;

    protected override Selector SelectorOf(ReplicaSet owner) => Selector.From(owner.Spec.Selector);

    protected override PodTemplateSpec TemplateOf(ReplicaSet owner) => owner.Spec.Template;

    protected override ReplicaSet? WithStatus(ReplicaSet owner, ReplicaCounts counts, string? failureReason, string? failureMessage)
    {
        var changed = owner.Clone();
        var status = changed.Status;
        status.Replicas = counts.Total;
        status.FullyLabeledReplicas = counts.FullyLabeled;
        status.ReadyReplicas = counts.Ready;
        status.AvailableReplicas = counts.Available;
        status.TerminatingReplicas = counts.Terminating;
        status.ObservedGeneration = owner.Metadata.Generation;
        status.Conditions?.RemoveAll(c => c.Type == "ReplicaFailure" && failureReason is null);
        if (failureReason is not null && status.Conditions?.Exists(c => c.Type == "ReplicaFailure") != true)
        {
            (status.Conditions ??= []).Add(new ReplicaSetCondition { Type = "ReplicaFailure", Status = "True", Reason = failureReason, Message = failureMessage ?? "", LastTransitionTime = Time.GetUtcNow() });
        }
        return ApiStruct.DeepEquals(status, owner.Status) ? null : changed;
    }
}
