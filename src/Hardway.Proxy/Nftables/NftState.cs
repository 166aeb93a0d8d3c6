using System.Collections.Immutable;
using Hardway.Proxy.Model;

namespace Hardway.Proxy.Nftables;

/// <summary>What a table holds, as far as we put it there. Immutable: a plan carries the next state, taken over when its script succeeded.</summary>
internal sealed record NftState
{
    public static readonly NftState Empty = new();

    public IReadOnlyDictionary<ServicePortName, NftFragment> Fragments { get; init; } = ImmutableDictionary<ServicePortName, NftFragment>.Empty;

    /// <summary>Verdict and comment by set and key. Where two Services claim the same key, the first by name has it.</summary>
    public IReadOnlyDictionary<(string Set, string Key), (string Verdict, string Comment)> Elements { get; init; } =
        ImmutableDictionary<(string, string), (string, string)>.Empty;
}
