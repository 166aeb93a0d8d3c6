namespace Hardway.Proxy.Nftables;

internal sealed record NftChain(string Name, IReadOnlyList<string> Rules);

internal sealed record NftSet(string Name, string Declaration);

/// <summary>An element of a map or, with an empty value, of a set. The value is a verdict or, in the maps of endpoints, an address and a port.</summary>
internal readonly record struct NftElement(string Set, string Key, string Value);

/// <summary>All that one Service port contributes to a table. Immutable.</summary>
internal sealed record NftFragment
{
    public required string Comment { get; init; }
    public IReadOnlyList<NftChain> Chains { get; init; } = [];
    public IReadOnlyList<NftSet> Sets { get; init; } = [];
    public IReadOnlyList<NftElement> Elements { get; init; } = [];

    /// <summary>The shared chains that elements lead to.</summary>
    public IReadOnlyList<NftPick> Picks { get; init; } = [];

    public bool SameAs(NftFragment other) =>
        ReferenceEquals(this, other)
        || (Comment == other.Comment && Elements.SequenceEqual(other.Elements) && Sets.SequenceEqual(other.Sets)
            && Chains.Count == other.Chains.Count
            && Chains.Zip(other.Chains).All(p => p.First.Name == p.Second.Name && p.First.Rules.SequenceEqual(p.Second.Rules)));
}
