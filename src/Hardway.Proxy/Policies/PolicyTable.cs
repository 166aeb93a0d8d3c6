namespace Hardway.Proxy.Policies;

/// <summary>
/// Keeps the kernel's table as wanted: the first sync and the one after a failure replace it in one transaction, others send what changed. Where
/// nothing is isolated there is no table, and no packet pays for it. One caller at a time.
/// </summary>
internal sealed class PolicyTable(RuleCommand nft)
{
    private PolicyRuleSet? _state;

    /// <summary>Makes the table match; what nft said when it failed, else null.</summary>
    public async Task<string?> SyncAsync(PolicyRuleSet wanted, CancellationToken cancel)
    {
        var plan = PolicyPlanner.Plan(_state, wanted);
        if (plan.Change.Length > 0 && await nft.NftAsync(plan.Change, cancel).ConfigureAwait(false) is { } failed)
        {
            _state = null;
            return failed;
        }

        foreach (var set in wanted.Sets.Values)
        {
            set.Commit();
        }

        _state = wanted;
        if (plan.Sweep.Length > 0 && await nft.NftAsync(plan.Sweep, cancel).ConfigureAwait(false) is { } left)
        {
            _state = null; // packets are treated right; the full sync that follows removes what could not be deleted
            return left;
        }

        return null;
    }

    /// <summary>Is what we put there still there (nobody flushed the rule set)?</summary>
    public async Task<bool> IsPresentAsync(CancellationToken cancel)
    {
        if (_state is null or { IsEmpty: true } || await nft.NftAsync($"list chain {PolicyBase.Table} ingress\n", cancel).ConfigureAwait(false) is null)
        {
            return true;
        }

        _state = null;
        return false;
    }

    public Task<string?> RemoveAsync(CancellationToken cancel)
    {
        _state = null;
        return nft.NftAsync(PolicyBase.Remove, cancel);
    }
}
