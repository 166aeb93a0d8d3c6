using Hardway.Proxy.Nftables;

namespace Hardway.Proxy.Policies;

/// <summary>One policy's chain in one direction: each rule accepts what it allows; who comes to the end was not allowed by this policy. Pure.</summary>
internal sealed record PolicyRules(string Chain, IReadOnlyList<string> Rules, IReadOnlyList<PodSet> Sets)
{
    /// <summary>A match, and the family that it holds for; null: both.</summary>
    private readonly record struct Match(string Text, bool? V6);

    public static PolicyRules Build(PolicyModel policy, PolicyDirection direction)
    {
        var rules = new List<string>();
        var sets = new Dictionary<string, PodSet>(StringComparer.Ordinal);
        foreach (var rule in policy.Rules(direction) ?? [])
        {
            var ports = Ports(rule, direction, sets).ToList();
            foreach (var peer in Peers(rule, direction, sets))
            {
                foreach (var port in ports)
                {
                    if (peer.V6 is null || port.V6 is null || peer.V6 == port.V6)
                    {
                        rules.Add(string.Join(' ', ((string[])[peer.Text, port.Text, "accept"]).Where(t => t.Length > 0)));
                    }
                }
            }
        }

        return new(ChainName(policy, direction), rules, [.. sets.Values]);
    }

    /// <summary>"ingress-HASH-namespace/name"</summary>
    private static string ChainName(PolicyModel policy, PolicyDirection direction) =>
        NftNames.Cut($"{(direction == PolicyDirection.Ingress ? "ingress" : "egress")}-{NftNames.Hash(policy.Key)}-", policy.Key);

    private static IEnumerable<Match> Peers(PolicyRule rule, PolicyDirection direction, Dictionary<string, PodSet> sets)
    {
        var end = direction == PolicyDirection.Ingress ? "saddr" : "daddr";
        if (rule.AnyPeer)
        {
            yield return new("", null);
            yield break;
        }

        foreach (var peer in rule.Pods.DistinctBy(p => p.Key))
        {
            foreach (var v6 in (bool[])[false, true])
            {
                yield return new($"{Ip(v6)} {end} @{Use(PolicySets.Peer(peer, v6), sets)}", v6);
            }
        }

        foreach (var v6 in (bool[])[false, true])
        {
            var ranges = rule.Addresses.Where(a => a.IsV6 == v6).ToList();
            if (ranges is [{ IsEverything: true }])
            {
                yield return new($"meta nfproto {(v6 ? "ipv6" : "ipv4")}", v6);
            }
            else if (ranges.Count > 0)
            {
                yield return new($"{Ip(v6)} {end} {OneOf(ranges.Select(r => r.ToString()))}", v6);
            }
        }
    }

    private static IEnumerable<Match> Ports(PolicyRule rule, PolicyDirection direction, Dictionary<string, PodSet> sets)
    {
        if (rule.AnyPort)
        {
            yield return new("", null);
            yield break;
        }

        foreach (var protocol in rule.Ports.GroupBy(p => p.Protocol).OrderBy(g => g.Key))
        {
            var word = PolicySets.Word(protocol.Key);
            if (protocol.Any(p => p.IsEvery))
            {
                yield return new($"meta l4proto {word}", null);
                continue;
            }

            var numbers = Numbers(protocol.Where(p => p.Name.Length == 0));
            if (numbers.Count > 0)
            {
                yield return new($"{word} dport {OneOf(numbers)}", null);
            }

            foreach (var name in protocol.Select(p => p.Name).Where(n => n.Length > 0).Distinct())
            {
                foreach (var v6 in (bool[])[false, true])
                {
                    var set = PolicySets.Port(name, protocol.Key, v6, localOnly: direction == PolicyDirection.Ingress);
                    yield return new($"{Ip(v6)} daddr . meta l4proto . th dport @{Use(set, sets)}", v6);
                }
            }
        }
    }

    /// <summary>Ranges of ports, joined where they overlap: nft refuses those in one set.</summary>
    private static List<string> Numbers(IEnumerable<PolicyPort> ports)
    {
        var joined = AddressRange.Join(ports.Select(p => new AddressRange(false, (UInt128)p.First, (UInt128)p.Last)));
        return joined.ConvertAll(r => r.First == r.Last ? $"{r.First}" : $"{r.First}-{r.Last}");
    }

    private static string OneOf(IEnumerable<string> values)
    {
        var all = values.ToList();
        return all.Count == 1 ? all[0] : $"{{ {string.Join(", ", all)} }}";
    }

    private static string Ip(bool v6) => v6 ? "ip6" : "ip";

    private static string Use(PodSet set, Dictionary<string, PodSet> sets)
    {
        sets.TryAdd(set.Name, set);
        return set.Name;
    }
}
