using Hardway.Api.Core.V1;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Qos;
using Hardway.Kubelet.Runtime;

namespace Hardway.Kubelet.Status;

/// <summary>What a status is made from besides the Pod and the runtime.</summary>
internal sealed record PodStatusInput(IReadOnlyList<string> NodeIps, Func<string, ContainerFacts> Facts, DateTimeOffset Now, bool Ending, IEnumerable<PodCondition>? More = null);

/// <summary>Computes a whole PodStatus. Pure: the same input gives the same status.</summary>
internal static class PodStatusBuilder
{
    public static PodStatus Build(Pod pod, RuntimePod runtime, PodStatusInput input)
    {
        var before = pod.Status;
        var status = new PodStatus
        {
            ObservedGeneration = pod.Metadata.Generation,
            QosClass = PodQos.Of(pod).ToString(),
            StartTime = before.StartTime ?? ContainerStatuses.Seconds(input.Now),
            HostIP = input.NodeIps[0],
            HostIPs = [.. input.NodeIps.Select(ip => new HostIP { Ip = ip })],
            NominatedNodeName = before.NominatedNodeName,
            Reason = before.IsFinished() ? before.Reason : "",
            Message = before.IsFinished() ? before.Message : "",
            InitContainerStatuses = NullIfEmpty(ContainerStatuses.Compute(pod, pod.Spec.InitContainers ?? [], runtime, before.InitContainerStatuses, input.Facts, init: true)),
            ContainerStatuses = ContainerStatuses.Compute(pod, pod.Spec.Containers ?? [], runtime, before.ContainerStatuses, input.Facts, init: false),
            EphemeralContainerStatuses = NullIfEmpty(ContainerStatuses.Compute(pod, Ephemeral(pod), runtime, before.EphemeralContainerStatuses, input.Facts, init: false)),
        };
        var ips = pod.HostNetwork() ? input.NodeIps : runtime.Ips.Count > 0 ? runtime.Ips : [.. (before.PodIPs ?? []).Select(p => p.Ip)];
        if (ips.Count > 0 && (runtime.Sandboxes.Count > 0 || before.PodIP.Length > 0))
        {
            status.PodIP = ips[0];
            status.PodIPs = [.. ips.Select(ip => new PodIP { Ip = ip })];
        }
        status.Phase = before.IsFinished() ? before.Phase : PodPhase.Compute(pod, status.InitContainerStatuses ?? [], status.ContainerStatuses, input.Ending);
        status.Conditions = PodConditions.Compute(pod, status, runtime.ReadySandbox != null, input.Now, input.More);
        return status;
    }

    /// <summary>The status of a Pod that this node refuses: its containers have none, for they never come to be.</summary>
    public static PodStatus Rejected(Pod pod, string reason, string message, PodStatusInput input) => new()
    {
        ObservedGeneration = pod.Metadata.Generation,
        QosClass = PodQos.Of(pod).ToString(),
        StartTime = pod.Status.StartTime ?? ContainerStatuses.Seconds(input.Now),
        Phase = PodPhase.Failed,
        Reason = reason,
        Message = "Pod was rejected: " + message,
        Conditions = pod.Status.Conditions,
    };

    /// <summary>Ephemeral containers have all fields of a container that matter to the runtime.</summary>
    public static IEnumerable<Container> Ephemeral(Pod pod) => (pod.Spec.EphemeralContainers ?? []).Select(e => new Container
    {
        Name = e.Name, Image = e.Image, Command = e.Command, Args = e.Args, WorkingDir = e.WorkingDir, EnvFrom = e.EnvFrom, Env = e.Env, VolumeMounts = e.VolumeMounts,
        TerminationMessagePath = e.TerminationMessagePath, TerminationMessagePolicy = e.TerminationMessagePolicy, ImagePullPolicy = e.ImagePullPolicy,
        SecurityContext = e.SecurityContext, Stdin = e.Stdin, StdinOnce = e.StdinOnce, Tty = e.Tty,
    });

    private static List<ContainerStatus>? NullIfEmpty(List<ContainerStatus> list) => list.Count > 0 ? list : null;
}
