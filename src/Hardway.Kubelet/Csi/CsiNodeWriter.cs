using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Api.Storage.V1;
using Hardway.Client;

namespace Hardway.Kubelet.Csi;

/// <summary>
/// Tells the API which drivers this node has: the CSINode object of the node's name (for scheduler and attacher), and the Node's
/// annotation and topology labels. Requests are repeated on conflicts.
/// </summary>
internal sealed class CsiNodeWriter(KubeClient client, string nodeName)
{
    private const string NodeIdAnnotation = "csi.volume.kubernetes.io/nodeid";
    private const int Attempts = 5;

    /// <summary>The node has no driver yet, or none any more: the object is there all the same.</summary>
    public Task EnsureAsync(CancellationToken stop) => ChangeAsync(_ => { }, stop);

    public async Task AddAsync(CsiDriver driver, CancellationToken stop)
    {
        var topology = driver.Info.AccessibleTopology?.Segments ?? [];
        await PatchNodeAsync(driver.Name, driver.Info.NodeId, topology, stop);
        await ChangeAsync(node =>
        {
            var list = node.Spec.Drivers ??= [];
            list.RemoveAll(d => d.Name == driver.Name);
            list.Add(new CSINodeDriver
            {
                Name = driver.Name,
                NodeID = driver.Info.NodeId,
                TopologyKeys = topology.Count == 0 ? null : [.. topology.Keys.Order(StringComparer.Ordinal)],
                Allocatable = driver.Info.MaxVolumesPerNode > 0 ? new VolumeNodeResources { Count = (int)Math.Min(int.MaxValue, driver.Info.MaxVolumesPerNode) } : null,
            });
        }, stop);
    }

    public async Task RemoveAsync(string driver, CancellationToken stop)
    {
        await ChangeAsync(node => node.Spec.Drivers?.RemoveAll(d => d.Name == driver), stop);
        await PatchNodeAsync(driver, null, [], stop);
    }

    private async Task ChangeAsync(Action<CSINode> change, CancellationToken stop)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var present = await client.TryGetAsync<CSINode>(null, nodeName, stop);
                var wanted = present == null ? await NewAsync(stop) : (CSINode)present.DeepClone();
                change(wanted);
                if (present == null)
                    await client.CreateAsync(wanted, stop);
                else if (!ApiValues.AreEqual(present, wanted))
                    await client.UpdateAsync(wanted, stop);
                return;
            }
            catch (ApiException e) when ((e.IsConflict || e.IsAlreadyExists) && attempt < Attempts)
            {
                // Somebody was faster: look again.
            }
        }
    }

    private async Task<CSINode> NewAsync(CancellationToken stop)
    {
        var owner = await client.GetAsync<Node>(null, nodeName, stop);
        var node = new CSINode { Spec = new CSINodeSpec { Drivers = [] } };
        node.Metadata.Name = nodeName;
        node.Metadata.OwnerReferences = [new OwnerReference { ApiVersion = "v1", Kind = "Node", Name = nodeName, Uid = owner.Metadata.Uid }];
        return node;
    }

    private async Task PatchNodeAsync(string driver, string? nodeId, IEnumerable<KeyValuePair<string, string>> topology, CancellationToken stop)
    {
        var node = await client.GetAsync<Node>(null, nodeName, stop);
        var ids = NodeIds(node.Metadata.Annotations?.GetValueOrDefault(NodeIdAnnotation));
        if (nodeId == null)
            ids.Remove(driver);
        else
            ids[driver] = nodeId;
        var metadata = new Dictionary<string, object?>
        {
            ["annotations"] = new Dictionary<string, object?> { [NodeIdAnnotation] = ids.Count == 0 ? null : System.Text.Encoding.UTF8.GetString(ApiJson.SerializeTree(ids)) },
            ["labels"] = topology.ToDictionary(t => t.Key, t => (object?)t.Value, StringComparer.Ordinal),
        };
        await client.PatchAsync<Node>(null, nodeName, PatchType.Merge, ApiJson.SerializeTree(new Dictionary<string, object?> { ["metadata"] = metadata }), stop);
    }

    private static Dictionary<string, object?> NodeIds(string? annotation)
    {
        try
        {
            return annotation != null && ApiJson.DeserializeTree(System.Text.Encoding.UTF8.GetBytes(annotation)) is Dictionary<string, object?> ids ? ids : new(StringComparer.Ordinal);
        }
        catch (ApiDecodeException)
        {
            return new(StringComparer.Ordinal);
        }
    }
}
