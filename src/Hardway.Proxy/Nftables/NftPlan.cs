namespace Hardway.Proxy.Nftables;

/// <summary>
/// Two scripts for nft, each one transaction. <see cref="Change"/> makes the rules what is wanted; <see cref="Sweep"/> then deletes what
/// nothing refers to any more, apart because some kernels do not let a chain go in the transaction that drops the last reference to it.
/// </summary>
internal sealed record NftPlan(string Change, string Sweep, NftState Next, bool Full);
