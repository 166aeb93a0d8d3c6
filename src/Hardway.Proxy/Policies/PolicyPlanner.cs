using System.Text;

namespace Hardway.Proxy.Policies;

/// <summary>Two scripts, each one transaction: the change, and then what nothing refers to any more (see <see cref="Nftables.NftPlan"/>).</summary>
internal sealed record PolicyPlan(string Change, string Sweep);

/// <summary>
/// Computes the scripts from what the table holds (null: unknown; empty: there is no table) to what it should hold. Pure.
/// Order inside the change: sets with their elements, empty chains, rules, then the map elements that lead packets to them.
/// </summary>
internal static class PolicyPlanner
{
    private const int ElementsALine = 250;

    public static PolicyPlan Plan(PolicyRuleSet? current, PolicyRuleSet wanted)
    {
        if (wanted.IsEmpty)
        {
            return new(current is { IsEmpty: true } ? "" : PolicyBase.Remove, "");
        }

        var full = current is null or { IsEmpty: true };
        var from = full ? PolicyRuleSet.Empty : current!;
        var change = new StringBuilder(full ? PolicyBase.Recreate : "");
        foreach (var (name, set) in wanted.Sets)
        {
            Set(change, from.Sets.GetValueOrDefault(name), set);
        }

        Chains(change, from, wanted);
        Maps(change, from, wanted);
        var sweep = new StringBuilder();
        Sweep(change, sweep, from, wanted);
        return new(change.ToString(), sweep.ToString());
    }

    private static void Set(StringBuilder change, PodSet? before, PodSet set)
    {
        if (ReferenceEquals(before, set))
        {
            Elements(change, "delete", set.Name, set.Removed);
            Elements(change, "add", set.Name, set.Added);
            return;
        }

        change.Append(before is null ? $"add set {PolicyBase.Table} {set.Name} {{ {set.Type} }}\n" : $"flush set {PolicyBase.Table} {set.Name}\n");
        Elements(change, "add", set.Name, set.Elements);
    }

    private static void Chains(StringBuilder change, PolicyRuleSet from, PolicyRuleSet wanted)
    {
        var rules = new StringBuilder();
        foreach (var (name, chain) in wanted.Chains)
        {
            from.Chains.TryGetValue(name, out var before);
            if (before is not null && (ReferenceEquals(before, chain) || before.SequenceEqual(chain)))
            {
                continue;
            }

            change.Append(before is null ? $"add chain {PolicyBase.Table} {name}\n" : $"flush chain {PolicyBase.Table} {name}\n");
            foreach (var rule in chain)
            {
                rules.Append($"add rule {PolicyBase.Table} {name} {rule}\n");
            }
        }

        change.Append(rules);
    }

    private static void Maps(StringBuilder change, PolicyRuleSet from, PolicyRuleSet wanted)
    {
        foreach (var gone in from.Elements.Where(e => !wanted.Elements.TryGetValue(e.Key, out var now) || now != e.Value).GroupBy(e => e.Key.Set))
        {
            Elements(change, "delete", gone.Key, [.. gone.Select(e => e.Key.Key)]);
        }

        foreach (var come in wanted.Elements.Where(e => !from.Elements.TryGetValue(e.Key, out var then) || then != e.Value).GroupBy(e => e.Key.Set))
        {
            Elements(change, "add", come.Key, [.. come.Select(e => e.Value.Length == 0 ? e.Key.Key : $"{e.Key.Key} : {e.Value}")]);
        }
    }

    private static void Sweep(StringBuilder change, StringBuilder sweep, PolicyRuleSet from, PolicyRuleSet wanted)
    {
        var chains = from.Chains.Keys.Where(c => !wanted.Chains.ContainsKey(c)).ToList();
        foreach (var chain in chains)
        {
            change.Append($"flush chain {PolicyBase.Table} {chain}\n");
        }

        foreach (var chain in chains)
        {
            sweep.Append($"delete chain {PolicyBase.Table} {chain}\n");
        }

        foreach (var set in from.Sets.Keys.Where(s => !wanted.Sets.ContainsKey(s)))
        {
            sweep.Append($"delete set {PolicyBase.Table} {set}\n");
        }
    }

    private static void Elements(StringBuilder change, string verb, string set, IReadOnlyCollection<string> elements)
    {
        foreach (var chunk in elements.Chunk(ElementsALine))
        {
            change.Append($"{verb} element {PolicyBase.Table} {set} {{ {string.Join(", ", chunk)} }}\n");
        }
    }
}
