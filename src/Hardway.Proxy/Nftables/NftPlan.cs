using Hardway.Proxy.Model;

namespace Hardway.Proxy.Nftables;

/// <summary>
/// Two scripts for nft, each one transaction. <see cref="Change"/> makes the rules what is wanted; <see cref="Sweep"/> then deletes what
/// nothing refers to any more, apart because some kernels do not let a chain go in the transaction that drops the last reference to it.
/// </summary>
internal sealed class NftPlan(NftState state, IReadOnlyDictionary<ServicePortName, NftFragment?> changed, IReadOnlyDictionary<(string, string), NftClaim[]> elements, IReadOnlySet<NftPick> picks)
{
    public required string Change { get; init; }

    public required string Sweep { get; init; }

    /// <summary>The scripts were run: the state follows, and is given back.</summary>
    public NftState Commit()
    {
        foreach (var (name, fragment) in changed)
        {
            if (fragment is null)
            {
                state.Fragments.Remove(name);
            }
            else
            {
                state.Fragments[name] = fragment;
            }
        }

        foreach (var (key, claims) in elements)
        {
            if (claims.Length == 0)
            {
                state.Elements.Remove(key);
            }
            else
            {
                state.Elements[key] = claims;
            }
        }

        state.Picks.Clear();
        state.Picks.UnionWith(picks);
        return state;
    }
}
