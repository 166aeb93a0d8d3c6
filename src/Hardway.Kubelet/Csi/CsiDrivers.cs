using System.Collections.Concurrent;
using Hardway.Kubelet.Csi.Wire;

namespace Hardway.Kubelet.Csi;

/// <summary>A driver that has registered on this node, and what it said of itself.</summary>
internal sealed record CsiDriver(string Name, CsiDriverClient Client, NodeGetInfoResponse Info, IReadOnlySet<NodeServiceCapability.Types.RPC.Types.Type> Capabilities)
{
    public bool Stages => Capabilities.Contains(NodeServiceCapability.Types.RPC.Types.Type.StageUnstageVolume);

    public bool MountsForGroup => Capabilities.Contains(NodeServiceCapability.Types.RPC.Types.Type.VolumeMountGroup);

    public bool TellsSingleWriters => Capabilities.Contains(NodeServiceCapability.Types.RPC.Types.Type.SingleNodeMultiWriter);
}

/// <summary>The drivers of this node by name. Safe for many threads; owns their connections.</summary>
internal sealed class CsiDrivers : IDisposable
{
    private readonly ConcurrentDictionary<string, CsiDriver> _drivers = new(StringComparer.Ordinal);

    public IEnumerable<CsiDriver> All => _drivers.Values;

    public CsiDriver? Find(string name) => _drivers.GetValueOrDefault(name);

    public void Put(CsiDriver driver)
    {
        if (_drivers.TryGetValue(driver.Name, out var old))
            old.Client.Dispose();
        _drivers[driver.Name] = driver;
    }

    public void Remove(string name)
    {
        if (_drivers.TryRemove(name, out var old))
            old.Client.Dispose();
    }

    public void Dispose()
    {
        foreach (var name in _drivers.Keys)
            Remove(name);
    }
}
