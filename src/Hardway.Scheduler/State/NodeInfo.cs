using Hardway.Api.Core.V1;

namespace Hardway.Scheduler.State;

/// <summary>A node with its Pods and the sums that filters and scores need, kept up to date as Pods come and go. Guarded by the state's lock.</summary>
/// <param name="name">The node's name.</param>
/// <param name="slot">Its number in arrays beside the state; -1: a copy to try things on.</param>
/// <param name="terms">Is told of the affinity of Pods that come and go; null for a copy.</param>
internal sealed class NodeInfo(string name, int slot = -1, TermIndex? terms = null)
{
    private static readonly Dictionary<string, long> s_noImages = [];
    private static long s_generation;
    private Dictionary<HostPort, int>? _ports;
    private List<PodInfo> _pods = [];

    public string Name { get; } = name;

    public int Slot { get; } = slot;

    /// <summary>Another number after every change of the node's Pods, never used before by any node.</summary>
    public long Generation { get; private set; } = Interlocked.Increment(ref s_generation);

    /// <summary>Null while only Pods of it are known: not a candidate.</summary>
    public Node? Node { get; private set; }

    public ResourceVector Allocatable { get; private set; } = new();
    public ResourceVector Requested { get; private set; } = new();
    public long NonZeroMilliCpu { get; private set; }
    public long NonZeroMemory { get; private set; }
    public IReadOnlyDictionary<string, long> Images { get; private set; } = s_noImages;

    /// <summary>Taints that keep Pods away.</summary>
    public Taint[] HardTaints { get; private set; } = [];

    /// <summary>Taints that only cost score.</summary>
    public Taint[] SoftTaints { get; private set; } = [];

    public string Zone { get; private set; } = "";

    public List<PodInfo> Pods => _pods;

    public Dictionary<string, string>? Labels { get; private set; }

    public void SetNode(Node? node)
    {
        Node = node;
        Labels = node?.Metadata.Labels;
        Zone = Labels is null ? "" : $"{Labels.GetValueOrDefault("topology.kubernetes.io/region")}:{Labels.GetValueOrDefault("topology.kubernetes.io/zone")}";
        Allocatable = ResourceVector.From(node?.Status.Allocatable);
        HardTaints = [.. (node?.Spec.Taints ?? []).Where(t => t.Effect is "NoSchedule" or "NoExecute")];
        SoftTaints = [.. (node?.Spec.Taints ?? []).Where(t => t.Effect == "PreferNoSchedule")];
        Images = ImagesOf(node);
    }

    public void Add(PodInfo pod)
    {
        _pods.Add(pod);
        terms?.Add(this, pod);
        Count(pod, 1);
    }

    public bool Remove(string key)
    {
        var at = -1;
        for (var i = 0; i < _pods.Count && at < 0; i++)
        {
            at = _pods[i].Key == key ? i : -1;
        }

        if (at < 0)
        {
            return false;
        }

        var pod = _pods[at];
        _pods.RemoveAt(at);
        terms?.Remove(this, pod);
        Count(pod, -1);
        return true;
    }

    /// <summary>Is one of these ports taken? The address 0.0.0.0 means all addresses.</summary>
    public bool Conflicts(IReadOnlyList<HostPort> wanted)
    {
        if (_ports is null)
        {
            return false;
        }

        foreach (var port in wanted)
        {
            foreach (var used in _ports.Keys)
            {
                if (used.Collides(port))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>A copy to try things on.</summary>
    public NodeInfo Copy() => new(Name)
    {
        Node = Node,
        Labels = Labels,
        Zone = Zone,
        HardTaints = HardTaints,
        SoftTaints = SoftTaints,
        Allocatable = Allocatable,
        Images = Images,
        Requested = Requested.Copy(),
        NonZeroMilliCpu = NonZeroMilliCpu,
        NonZeroMemory = NonZeroMemory,
        _pods = [.. _pods],
        _ports = _ports is null ? null : new(_ports),
    };

    private static Dictionary<string, long> ImagesOf(Node? node)
    {
        if (node?.Status.Images is not { Count: > 0 } all)
        {
            return s_noImages;
        }

        var images = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var image in all)
        {
            foreach (var imageName in image.Names ?? [])
            {
                images[imageName] = image.SizeBytes;
            }
        }

        return images;
    }

    private void Count(PodInfo pod, int sign)
    {
        Generation = Interlocked.Increment(ref s_generation);
        Requested.Add(pod.Requests, sign);
        NonZeroMilliCpu += sign * pod.NonZeroMilliCpu;
        NonZeroMemory += sign * pod.NonZeroMemory;
        foreach (var port in pod.HostPorts)
        {
            _ports ??= [];
            var count = _ports.GetValueOrDefault(port) + sign;
            if (count > 0)
            {
                _ports[port] = count;
            }
            else
            {
                _ports.Remove(port);
            }
        }
    }
}
