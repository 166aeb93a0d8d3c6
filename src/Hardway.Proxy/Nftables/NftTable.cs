using Hardway.Proxy.Model;

namespace Hardway.Proxy.Nftables;

/// <summary>
/// Keeps one family's table as wanted. The first sync replaces the whole table (whatever an earlier run or upstream's kube-proxy left) in one
/// transaction, so traffic never sees it empty; later ones send only what changed. After a failed change the next sync is a full one.
/// One caller at a time.
/// </summary>
internal sealed class NftTable(NftOptions options, RuleCommand nft) : IRuleTable
{
    private readonly Dictionary<ServicePortName, (ServicePort Port, NftFragment Fragment)> _built = [];
    private NftState? _state;

    public bool IsV6 => options.Family == NftFamily.V6;

    public string Name => options.Family.TableRef;

    /// <summary>Makes the table match; what nft said when it failed, else null.</summary>
    public async Task<string?> SyncAsync(IReadOnlyCollection<ServicePort> ports, bool full, CancellationToken cancel)
    {
        var plan = NftPlanner.Plan(full ? null : _state, Fragments(ports), options);
        if (plan.Change.Length > 0 && await nft.NftAsync(plan.Change, cancel).ConfigureAwait(false) is { } failed)
        {
            _state = null;
            return failed;
        }

        _state = plan.Commit();
        if (plan.Sweep.Length > 0 && await nft.NftAsync(plan.Sweep, cancel).ConfigureAwait(false) is { } left)
        {
            _state = null; // traffic is right; the full sync that follows removes what could not be deleted
            return left;
        }

        return null;
    }

    /// <summary>Is the table still there (nobody flushed the rule set)?</summary>
    public async Task<bool> IsPresentAsync(CancellationToken cancel) =>
        await nft.NftAsync($"list chain {options.Family.TableRef} services\n", cancel).ConfigureAwait(false) is null;

    /// <summary>Removes the table and everything in it.</summary>
    public Task<string?> RemoveAsync(CancellationToken cancel)
    {
        _state = null;
        return nft.NftAsync(NftBase.Remove(options.Family), cancel);
    }

    private Dictionary<ServicePortName, NftFragment> Fragments(IReadOnlyCollection<ServicePort> ports)
    {
        var wanted = new Dictionary<ServicePortName, NftFragment>(ports.Count);
        foreach (var port in ports)
        {
            if (!_built.TryGetValue(port.Name, out var built) || !ReferenceEquals(built.Port, port))
            {
                built = (port, NftServiceRules.Build(port, options));
                _built[port.Name] = built;
            }

            wanted[port.Name] = built.Fragment;
        }

        foreach (var gone in _built.Keys.Where(name => !wanted.ContainsKey(name)).ToList())
        {
            _built.Remove(gone);
        }

        return wanted;
    }
}
