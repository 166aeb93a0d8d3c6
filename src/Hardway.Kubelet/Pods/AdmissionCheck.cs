using System.Collections.Concurrent;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Eviction;
using Hardway.Kubelet.Qos;

namespace Hardway.Kubelet.Pods;

/// <summary>
/// Does a new Pod fit on this node, beside those admitted before? Counts Pods, CPU, memory and every other resource of the node;
/// the scheduler has done so too, but may have been wrong or not been asked. Safe for many threads.
/// </summary>
internal sealed class AdmissionCheck(NodeFacts node, IReadOnlyList<string> allowedUnsafeSysctls, Func<IReadOnlySet<string>> pressure)
{
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, Pod> _admitted = new(StringComparer.Ordinal);

    public sealed record Refusal(string Reason, string Message);

    /// <summary>Null: admitted (and counted from now on).</summary>
    /// <param name="running">It ran here before this kubelet started: no question.</param>
    public Refusal? Admit(Pod pod, bool running)
    {
        lock (_gate)
        {
            if (_admitted.ContainsKey(pod.Metadata.Uid))
                return null;
            if (!running && Check(pod) is { } refusal)
                return refusal;
            _admitted[pod.Metadata.Uid] = pod;
            return null;
        }
    }

    /// <summary>May an admitted Pod have what it asks for now? Null: yes, and it is counted so from now on.</summary>
    public Refusal? TryResize(Pod pod)
    {
        lock (_gate)
        {
            foreach (var resource in (string[])["cpu", "memory"])
            {
                var (request, whole) = (PodResources.Requests(pod, resource), node.Allocatable.GetValueOrDefault(resource));
                if (request > whole)
                    return new Refusal("Infeasible", $"Node didn't have enough capacity: {resource}, requested: {Amount(resource, request)}, capacity: {Amount(resource, whole)}");
                var others = Used(resource, pod.Metadata.Uid);
                if (others + request > whole)
                    return new Refusal("Deferred", $"Node didn't have enough resource: {resource}, requested: {Amount(resource, request)}, used: {Amount(resource, others)}, capacity: {Amount(resource, whole)}");
            }
            _admitted[pod.Metadata.Uid] = pod;
            return null;
        }
    }

    public void Forget(string uid) => _admitted.TryRemove(uid, out _);

    private Refusal? Check(Pod pod)
    {
        if (Pressed(pod) is { } pressed)
            return pressed;
        if (Sysctls.Refused(pod, allowedUnsafeSysctls) is { } sysctl)
            return new Refusal("SysctlForbidden", sysctl);
        if (node.Allocatable.TryGetValue("pods", out var most) && _admitted.Count + 1 > most.Value)
            return new Refusal("OutOfpods", $"Node didn't have enough resource: pods, requested: 1, used: {_admitted.Count}, capacity: {most}");
        foreach (var resource in Requested(pod))
        {
            var request = PodResources.Requests(pod, resource);
            var used = Used(resource, pod.Metadata.Uid);
            if (!request.IsZero && used + request > node.Allocatable.GetValueOrDefault(resource))
                return new Refusal("OutOf" + resource, $"Node didn't have enough resource: {resource}, requested: {Amount(resource, request)}, used: {Amount(resource, used)}, capacity: {Amount(resource, node.Allocatable.GetValueOrDefault(resource))}");
        }
        return null;
    }

    /// <summary>A node that runs dry takes no more Pods; short of memory alone it takes those that asked for some, or tolerate the shortage.</summary>
    private Refusal? Pressed(Pod pod)
    {
        var on = pressure();
        if (on.Count == 0 || EvictionRanking.IsCritical(pod))
            return null;
        var memoryOnly = on.Count == 1 && on.Contains(EvictionSignals.MemoryPressure);
        if (memoryOnly && (PodQos.Of(pod) != QosClass.BestEffort || (pod.Spec.Tolerations ?? []).Exists(ToleratesMemoryPressure)))
            return null;
        return new Refusal("Evicted", $"The node had condition: [{string.Join(' ', on.Order(StringComparer.Ordinal))}]");
    }

    private static bool ToleratesMemoryPressure(Toleration toleration) =>
        (toleration.Key.Length == 0 && toleration.Operator == "Exists") || (toleration.Key == "node.kubernetes.io/memory-pressure" && toleration.Effect is "" or "NoSchedule");

    private Quantity Used(string resource, string except) => _admitted.Where(a => a.Key != except).Aggregate(Quantity.Zero, (sum, a) => sum + PodResources.Requests(a.Value, resource));

    private static IEnumerable<string> Requested(Pod pod) => PodQos.AllContainers(pod).SelectMany(c => c.Resources.Requests?.Keys ?? Enumerable.Empty<string>()).Distinct();

    private static long Amount(string resource, Quantity quantity) => resource == "cpu" ? quantity.MilliValue : quantity.Value;
}
