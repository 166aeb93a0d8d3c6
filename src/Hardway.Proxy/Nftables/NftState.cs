using Hardway.Proxy.Model;

namespace Hardway.Proxy.Nftables;

/// <summary>A port's claim on an element; several ports may claim one (external addresses), the first by name has it.</summary>
internal sealed record NftClaim(ServicePortName Owner, string Value, string Comment);

/// <summary>
/// What a table holds, as far as we put it there. A plan reads it; only <see cref="NftPlan.Commit"/>, once its script has succeeded, changes it. One owner.
/// </summary>
internal sealed class NftState
{
    public Dictionary<ServicePortName, NftFragment> Fragments { get; } = [];

    /// <summary>By set and key, the winner first.</summary>
    public Dictionary<(string Set, string Key), NftClaim[]> Elements { get; } = [];

    public HashSet<NftPick> Picks { get; } = [];
}
