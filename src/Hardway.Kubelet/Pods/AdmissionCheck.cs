using System.Collections.Concurrent;
using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Qos;

namespace Hardway.Kubelet.Pods;

/// <summary>
/// Does a new Pod fit on this node, beside those admitted before? Counts Pods, CPU, memory and every other resource of the node;
/// the scheduler has done so too, but may have been wrong or not been asked. Safe for many threads.
/// </summary>
internal sealed class AdmissionCheck(NodeFacts node)
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

    public void Forget(string uid) => _admitted.TryRemove(uid, out _);

    private Refusal? Check(Pod pod)
    {
        if (node.Allocatable.TryGetValue("pods", out var most) && _admitted.Count + 1 > most.Value)
            return new Refusal("OutOfpods", $"Node didn't have enough resource: pods, requested: 1, used: {_admitted.Count}, capacity: {most}");
        foreach (var resource in Requested(pod))
        {
            var request = PodResources.Requests(pod, resource);
            var used = _admitted.Values.Aggregate(Quantity.Zero, (sum, p) => sum + PodResources.Requests(p, resource));
            if (!request.IsZero && used + request > node.Allocatable.GetValueOrDefault(resource))
                return new Refusal("OutOf" + resource, $"Node didn't have enough resource: {resource}, requested: {Amount(resource, request)}, used: {Amount(resource, used)}, capacity: {Amount(resource, node.Allocatable.GetValueOrDefault(resource))}");
        }
        return null;
    }

    private static IEnumerable<string> Requested(Pod pod) => PodQos.AllContainers(pod).SelectMany(c => c.Resources.Requests?.Keys ?? Enumerable.Empty<string>()).Distinct();

    private static long Amount(string resource, Quantity quantity) => resource == "cpu" ? quantity.MilliValue : quantity.Value;
}
