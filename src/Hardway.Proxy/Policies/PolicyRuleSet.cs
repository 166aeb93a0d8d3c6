namespace Hardway.Proxy.Policies;

/// <summary>What the table shall hold beside its fixed part. The sets are live: their deltas are taken over when the script was run.</summary>
internal sealed record PolicyRuleSet
{
    public static readonly PolicyRuleSet Empty = new();

    public IReadOnlyDictionary<string, PodSet> Sets { get; init; } = new Dictionary<string, PodSet>();

    /// <summary>Rules by chain.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Chains { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Elements of the fixed maps and sets; the value is a map's verdict, or "".</summary>
    public IReadOnlyDictionary<(string Set, string Key), string> Elements { get; init; } = new Dictionary<(string, string), string>();

    /// <summary>Nothing is isolated here: no packet needs to be looked at.</summary>
    public bool IsEmpty => Chains.Count == 0;
}
