using Hardway.Api.Core.V1;

namespace Hardway.Scheduler.State;

/// <summary>A node with its Pods and the sums that filters and scores need, kept up to date as Pods come and go. Guarded by the state's lock.</summary>
internal sealed class NodeInfo(string name)
{
    private readonly Dictionary<HostPort, int> _ports = [];
    private List<PodInfo> _pods = [];

    public string Name { get; } = name;

    /// <summary>Null while only Pods of it are known: not a candidate.</summary>
    public Node? Node { get; private set; }

    public ResourceVector Allocatable { get; private set; } = new();
    public ResourceVector Requested { get; private set; } = new();
    public long NonZeroMilliCpu { get; private set; }
    public long NonZeroMemory { get; private set; }
    public int AffinityPods { get; private set; }
    public int AntiAffinityPods { get; private set; }
    public IReadOnlyDictionary<string, long> Images { get; private set; } = new Dictionary<string, long>();

    public IReadOnlyList<PodInfo> Pods => _pods;

    public IReadOnlyDictionary<string, string>? Labels => Node?.Metadata.Labels;

    public void SetNode(Node? node)
    {
        Node = node;
        Allocatable = ResourceVector.From(node?.Status.Allocatable);
        var images = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var image in node?.Status.Images ?? [])
        {
            foreach (var imageName in image.Names ?? [])
            {
                images[imageName] = image.SizeBytes;
            }
        }

        Images = images;
    }

    public void Add(PodInfo pod)
    {
        _pods.Add(pod);
        Count(pod, 1);
    }

    public bool Remove(string key)
    {
        var at = _pods.FindIndex(p => p.Key == key);
        if (at < 0)
        {
            return false;
        }

        Count(_pods[at], -1);
        _pods.RemoveAt(at);
        return true;
    }

    /// <summary>Is one of these ports taken? The address 0.0.0.0 means all addresses.</summary>
    public bool Conflicts(IReadOnlyList<HostPort> wanted)
    {
        foreach (var port in wanted)
        {
            foreach (var used in _ports.Keys)
            {
                if (used.Port == port.Port && used.Protocol == port.Protocol && (used.Address == port.Address || used.Address == "0.0.0.0" || port.Address == "0.0.0.0"))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>A copy to try things on.</summary>
    public NodeInfo Copy()
    {
        var copy = new NodeInfo(Name)
        {
            Node = Node,
            Allocatable = Allocatable,
            Images = Images,
            Requested = Requested.Copy(),
            NonZeroMilliCpu = NonZeroMilliCpu,
            NonZeroMemory = NonZeroMemory,
            AffinityPods = AffinityPods,
            AntiAffinityPods = AntiAffinityPods,
            _pods = [.. _pods],
        };
        foreach (var (port, count) in _ports)
        {
            copy._ports[port] = count;
        }

        return copy;
    }

    private void Count(PodInfo pod, int sign)
    {
        Requested.Add(pod.Requests, sign);
        NonZeroMilliCpu += sign * pod.NonZeroMilliCpu;
        NonZeroMemory += sign * pod.NonZeroMemory;
        AffinityPods += pod.HasAffinity ? sign : 0;
        AntiAffinityPods += pod.AntiAffinity.Count > 0 ? sign : 0;
        foreach (var port in pod.HostPorts)
        {
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
