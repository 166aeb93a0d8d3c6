using Hardway.Api.Core.V1;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Qos;
using Hardway.Kubelet.Runtime;

namespace Hardway.Kubelet.Resizing;

/// <summary>How a running container comes to its new resources.</summary>
internal enum ResizeAction { None, Update, Restart }

/// <summary>
/// In-place resize of one Pod (KEP-1287): decides whether what its spec asks for now is given to it, and which containers still have to
/// be brought there. Used by the Pod's worker only.
/// <code>
///   spec changed ─► does it fit? ── never: PodResizePending, Infeasible
///                        │  └────── not now: PodResizePending, Deferred (looked at again)
///                        └─ yes ─► allocated ─► PodResizeInProgress ─► containers changed or restarted ─► done
/// </code>
/// </summary>
internal sealed class ResizeProgress(PodAllocations allocations, AdmissionCheck admission)
{
    private AdmissionCheck.Refusal? _pending;
    private string? _error;
    private bool _inProgress;

    public bool IsDeferred => _pending?.Reason == "Deferred";

    /// <summary>The Pod with the resources that it may use now.</summary>
    public Pod Decide(Pod wanted)
    {
        if (!allocations.Has(wanted))
        {
            allocations.Begin(wanted);
            return wanted;
        }
        var current = allocations.Apply(wanted);
        _pending = null;
        if (ReferenceEquals(current, wanted))
            return wanted;
        _pending = wanted.IsStatic() ? new("Infeasible", "In-place resize of static Pods is not supported") : admission.TryResize(wanted);
        if (_pending != null)
            return current;
        allocations.Allocate(wanted);
        _inProgress = true;
        return wanted;
    }

    /// <summary>What a running container still needs.</summary>
    public ResizeAction ActionFor(Pod pod, Container container)
    {
        if (allocations.Actuated(pod, container.Name) is not { } has || PodAllocations.SameResources(has, container.Resources))
            return ResizeAction.None;
        _inProgress = true;
        return Changed(has, container.Resources).Any(r => container.ResizePolicy?.Find(p => p.ResourceName == r)?.RestartPolicy == "RestartContainer") ? ResizeAction.Restart : ResizeAction.Update;
    }

    public void Failed(string error) => _error = error;

    public void Actuated(Pod pod, string container)
    {
        allocations.Actuate(pod, container);
        _error = null;
    }

    /// <summary>The conditions that tell of it; none when nothing is going on.</summary>
    public IEnumerable<PodCondition> Conditions(Pod pod, RuntimePod runtime)
    {
        if (_inProgress && PodQos.AllContainers(pod).Where(c => runtime.Latest(c.Name) is { IsRunning: true }).All(c => ActionFor(pod, c) == ResizeAction.None))
            _inProgress = false;
        if (_pending is { } pending)
            yield return new PodCondition { Type = "PodResizePending", Status = "True", Reason = pending.Reason, Message = pending.Message };
        if (_inProgress)
            yield return new PodCondition { Type = "PodResizeInProgress", Status = "True", Reason = _error == null ? "" : "Error", Message = _error ?? "" };
    }

    public ResourceRequirements? ActuatedResources(Pod pod, string container) => allocations.Actuated(pod, container);

    private static IEnumerable<string> Changed(ResourceRequirements before, ResourceRequirements after)
    {
        foreach (var name in (string[])["cpu", "memory"])
        {
            if (before.Requests?.GetValueOrDefault(name) != after.Requests?.GetValueOrDefault(name) || before.Limits?.GetValueOrDefault(name) != after.Limits?.GetValueOrDefault(name))
                yield return name;
        }
    }
}
