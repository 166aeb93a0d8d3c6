using System.Globalization;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>Pods: defaults, QoS class, what may change, graceful deletion, and the row that people read most.</summary>
internal sealed class PodRules : KindRules<Pod>
{
    public override bool HasGeneration => true;

    public override bool HasStatus => true;

    public override bool ReturnsDeletedObject => true;

    public override string? IndexField => "spec.nodeName";

    public override IReadOnlyList<SelectableField> SelectableFields =>
    [
        new("spec.nodeName"), new("spec.restartPolicy"), new("spec.schedulerName"), new("spec.serviceAccountName"), new("spec.hostNetwork", Absent: "false"),
        new("status.phase"), new("status.podIP"), new("status.podIPs", "status.podIP"), new("status.nominatedNodeName"),
    ];

    public override IReadOnlyList<TableColumn> Columns =>
    [
        new("Ready"), new("Status"), new("Restarts"), new("Age"), new("IP", Priority: 1), new("Node", Priority: 1), new("Nominated Node", Priority: 1), new("Readiness Gates", Priority: 1),
    ];

    protected override void Default(Pod value)
    {
        PodDefaults.ApplyToPod(value.Spec);
        AlignAddresses(value.Status);
    }

    /// <summary>podIP is the first of podIPs. Where a client says otherwise (a merge by address puts a new one first), the one address counts and the list is made of it.</summary>
    private static void AlignAddresses(PodStatus status)
    {
        var first = status.PodIPs is { Count: > 0 } all ? all[0].Ip : "";
        if (status.PodIP.Length == 0)
        {
            status.PodIP = first;
        }
        else if (first != status.PodIP)
        {
            status.PodIPs = [new PodIP { Ip = status.PodIP }];
        }
    }

    protected override void PrepareForCreate(RuleContext context, Pod value)
    {
        value.Status = new PodStatus { Phase = "Pending", QosClass = PodQos.Of(value.Spec) };
        if (value.Spec.SchedulingGates is { Count: > 0 })
        {
            value.Status.Conditions = [new() { Type = "PodScheduled", Status = "False", Reason = "SchedulingGated", Message = "Scheduling is blocked due to non-empty scheduling gates", LastTransitionTime = CreatePipeline.Seconds(context.Now) }];
        }
    }

    protected override void PrepareForUpdate(RuleContext context, Pod value, Pod old)
    {
        if (context.Subresource is "resize" or "ephemeralcontainers")
        {
            PodSubresourceUpdate.KeepAllElse(context.Subresource, value, old);
        }

        if (value.Status.QosClass.Length == 0)
        {
            value.Status.QosClass = old.Status.QosClass;
        }

        // An earlier deletion cannot be undone by an update.
        value.Metadata.DeletionTimestamp = old.Metadata.DeletionTimestamp;
    }

    protected override void Validate(RuleContext context, Pod value, ErrorList errors)
    {
        PodSpecValidation.Validate(value.Spec, FieldPath.Spec, errors, isTemplate: false);
        if (value.Spec.EphemeralContainers is { Count: > 0 })
        {
            errors.Forbidden(FieldPath.Spec.Child("ephemeralContainers"), "cannot be set on create");
        }
    }

    protected override void Warn(RuleContext context, Pod value, Pod? old)
    {
        if (old is null)
        {
            PodWarnings.OfPod(context, value);
        }
    }

    protected override void ValidateUpdate(RuleContext context, Pod value, Pod old, ErrorList errors)
    {
        // Whoever binds a Pod sets its node and nothing else: the binding's own checks did that.
        if (context.Subresource is "status" or "binding")
        {
            return;
        }

        PodUpdateValidation.Validate(context.Subresource, value, old, errors);
    }

    protected override long? GracePeriod(Pod value, long? asked)
    {
        if (value.Spec.NodeName.Length == 0 || value.Status.Phase is "Succeeded" or "Failed")
        {
            // No kubelet has it, or nothing runs any more.
            return 0;
        }

        var period = asked ?? value.Spec.TerminationGracePeriodSeconds ?? 30;
        return period < 0 ? 1 : period;
    }

    protected override IReadOnlyList<object?> Cells(Pod value, DateTimeOffset now)
    {
        var state = PodRow.Of(value, now);
        return
        [
            value.Metadata.Name,
            state.Ready,
            state.Status,
            state.Restarts,
            Ages.Since(value.Metadata.CreationTimestamp, now),
            TableText.Or(value.Status.PodIPs is { Count: > 0 } ips ? ips[0].Ip : value.Status.PodIP, TableText.None),
            TableText.Or(value.Spec.NodeName, TableText.None),
            TableText.Or(value.Status.NominatedNodeName, TableText.None),
            Gates(value),
        ];
    }

    private static string Gates(Pod value)
    {
        var gates = value.Spec.ReadinessGates ?? [];
        if (gates.Count == 0)
        {
            return TableText.None;
        }

        var good = gates.Count(g => (value.Status.Conditions ?? []).Any(c => c.Type == g.ConditionType && c.Status == "True"));
        return string.Create(CultureInfo.InvariantCulture, $"{good}/{gates.Count}");
    }
}
