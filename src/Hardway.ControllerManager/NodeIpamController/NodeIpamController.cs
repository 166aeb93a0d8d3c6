using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Hardway.Api.Core.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>
/// With --allocate-node-cidrs: gives each node without a Pod range the first free one out of --cluster-cidr. One worker, and what it gave is remembered
/// until the cache shows it, so that no range is given twice. Keys are nodes.
/// </summary>
internal sealed class NodeIpamController : Controller
{
    private readonly KubeClient _client;
    private readonly EventRecorder _events;
    private readonly Informer<Node> _nodes;
    private readonly IPNetwork _cluster;
    private readonly int _size;
    private readonly Dictionary<string, string> _given = new(StringComparer.Ordinal);

    public NodeIpamController(ControllerContext context)
        : base("node-ipam-controller", context.Logs, context.Time, context.Metrics)
    {
        Workers = 1;
        _cluster = IPNetwork.Parse(context.Options.ClusterCidr);
        _size = context.Options.NodeCidrMaskSize;
        _client = context.ClientFor("node-controller");
        _events = context.EventsFor("cidrAllocator", "node-controller");
        _nodes = Needs(context.Informers.Get<Node>());
        _nodes.AddHandler(n => Queue.Add(n.Metadata.Name), (_, n) => { if (n.Spec.PodCIDR.Length == 0) Queue.Add(n.Metadata.Name); });
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_nodes.Store.Get(key) is not { } node)
        {
            _given.Remove(key);
            return;
        }
        if (node.Spec.PodCIDR.Length > 0) return;
        var used = _nodes.Store.List().SelectMany(n => n.Spec.PodCIDRs ?? (n.Spec.PodCIDR.Length > 0 ? [n.Spec.PodCIDR] : [])).Concat(_given.Where(g => g.Key != key).Select(g => g.Value));
        if ((_given.GetValueOrDefault(key) ?? FirstFree(_cluster, _size, used)) is not { } range)
        {
            _events.Normal(node, "CIDRNotAvailable", $"Node {key} status is now: CIDRNotAvailable");
            throw new InvalidOperationException($"{_cluster} has no free /{_size} for node {key}");
        }
        _given[key] = range;
        var patch = new JsonObject { ["spec"] = new JsonObject { ["podCIDR"] = range, ["podCIDRs"] = new JsonArray(range) } };
        await _client.PatchAsync<Node>(null, key, PatchType.StrategicMerge, Encoding.UTF8.GetBytes(patch.ToJsonString()), cancellationToken);
    }

    internal static string? FirstFree(IPNetwork cluster, int size, IEnumerable<string> used)
    {
        var taken = used.Select(u => IPNetwork.TryParse(u, out var network) ? network : default).Where(n => n.PrefixLength > 0).ToList();
        var bits = cluster.BaseAddress.GetAddressBytes().Length * 8;
        if (size < cluster.PrefixLength || size > bits) return null;
        var count = 1L << Math.Min(size - cluster.PrefixLength, 20);
        for (long i = 0; i < count; i++)
        {
            var candidate = new IPNetwork(Offset(cluster.BaseAddress, i, bits - size), size);
            if (!taken.Exists(t => t.Contains(candidate.BaseAddress) || candidate.Contains(t.BaseAddress))) return candidate.ToString();
        }
        return null;
    }

    private static IPAddress Offset(IPAddress start, long index, int shift)
    {
        var bytes = start.GetAddressBytes();
        var add = (Int128)index << shift;
        for (var i = bytes.Length - 1; i >= 0 && add > 0; i--, add >>= 8)
        {
            var sum = bytes[i] + (int)(add & 0xff);
            bytes[i] = (byte)sum;
            if (sum > 0xff) add += 0x100;
        }
        return new IPAddress(bytes);
    }
}
