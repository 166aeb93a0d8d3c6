using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Admission.Plugins.Pods;

/// <summary>Required anti-affinity may only keep Pods off the same node: over a zone it would keep the others out of it. Off by default.</summary>
internal sealed class LimitPodHardAntiAffinityTopology : AdmissionPlugin
{
    private const string HostName = "kubernetes.io/hostname";

    public override string Name => "LimitPodHardAntiAffinityTopology";

    public override ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken) =>
        PodSpecs.PodOf(attributes)?.Spec.Affinity?.PodAntiAffinity?.RequiredDuringSchedulingIgnoredDuringExecution?.Exists(t => t.TopologyKey != HostName) == true
            ? throw Statuses.Forbidden("", "pods", attributes.Name, $"required Pod anti-affinity may only have the topology key {HostName}")
            : ValueTask.CompletedTask;
}
