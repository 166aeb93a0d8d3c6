using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// With --allocate-node-cidrs: gives each node without Pod ranges one out of every --cluster-cidr (one, or one a family). Ranges of Services are never given. One
/// worker, and what was given is taken at once, so that no range is given twice; ranges of nodes that go are free again. Keys are nodes.
/// </summary>
internal sealed class NodeIpamController : ClusterController
{
    private readonly EventRecorder _events;
    private readonly Informer<Node> _nodes;
    private readonly List<CidrSet> _sets = [];
    private readonly Dictionary<string, List<IPNetwork>> _byNode = new(StringComparer.Ordinal);
    private bool _started;

    public NodeIpamController(ControllerContext context) : base("node-ipam-controller", "node-controller", context)
    {
        Workers = 1;
        foreach (var range in Networks(context.Options.ClusterCidr)) _sets.Add(new CidrSet(range, range.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? context.Options.NodeCidrMaskSizeV6 : context.Options.NodeCidrMaskSize));
        foreach (var services in Networks(context.Options.ServiceClusterIPRange)) _sets.ForEach(s => s.Occupy(services));
        _events = EventsAs("cidrAllocator");
        _nodes = Watch<Node>();
        _nodes.AddHandler(n => Queue.Add(n.Metadata.Name), (_, n) => { if (n.Spec.PodCIDR.Length == 0) Queue.Add(n.Metadata.Name); });
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        // What nodes have already is known before the first is given.
        if (!_started) foreach (var known in _nodes.Store.List()) Note(known);
        _started = true;
        if (_nodes.Store.Get(key) is not { } node)
        {
            if (_byNode.Remove(key, out var freed)) foreach (var range in freed) _sets.ForEach(s => s.Release(range));
            return;
        }
        if (node.Spec.PodCIDR.Length > 0)
        {
            Note(node);
            return;
        }
        if (!_byNode.TryGetValue(key, out var ranges) && (ranges = Take()) is null)
        {
            _events.Normal(node, "CIDRNotAvailable", "no range is left for the node");
            throw new InvalidOperationException($"--cluster-cidr has no range left for node {key}");
        }
        _byNode[key] = ranges;
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = node.Metadata.Uid }, ["spec"] = new JsonObject { ["podCIDR"] = ranges[0].ToString(), ["podCIDRs"] = new JsonArray([.. ranges.Select(r => (JsonNode)r.ToString())]) } };
        await Client.PatchAsync<Node>(null, key, PatchType.StrategicMerge, Encoding.UTF8.GetBytes(patch.ToJsonString()), cancellationToken);
    }

    private List<IPNetwork>? Take()
    {
        List<IPNetwork> taken = [];
        foreach (var set in _sets)
        {
            if (set.Take() is { } range) taken.Add(range);
        }
        if (taken.Count == _sets.Count) return taken;
        foreach (var range in taken) _sets.ForEach(s => s.Release(range));
        return null;
    }

    private void Note(Node node)
    {
        if (node.Spec.PodCIDR.Length == 0) return;
        var ranges = (node.Spec.PodCIDRs ?? [node.Spec.PodCIDR]).SelectMany(Networks).ToList();
        _byNode[node.Metadata.Name] = ranges;
        foreach (var range in ranges) _sets.ForEach(s => s.Occupy(range));
    }

    /// <summary>The ranges of a list with commas; what is none is left out (the flags were checked at start).</summary>
    internal static IEnumerable<IPNetwork> Networks(string list) =>
        list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(t => IPNetwork.TryParse(t, out _)).Select(t => IPNetwork.Parse(t));
}
