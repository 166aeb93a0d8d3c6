using System.Text;
using Hardway.Proxy.Model;

namespace Hardway.Proxy.Nftables;

/// <summary>
/// Computes the scripts from what a table holds to what it should hold. Pure.
/// Order inside the change: new sets, new chains (empty), rules, then elements that lead traffic to them; so no packet meets half of it.
/// </summary>
internal static class NftPlanner
{
    public static NftPlan Plan(NftState? current, IReadOnlyDictionary<ServicePortName, NftFragment> wanted, NftOptions options)
    {
        var full = current is null;
        var from = current ?? NftState.Empty;
        var table = options.Family.TableRef;
        var next = new NftState { Fragments = wanted, Elements = Merge(wanted) };
        var change = new StringBuilder(full ? NftBase.Recreate(options) : "");
        var rules = new StringBuilder();
        var sweep = new StringBuilder();
        var deletes = new StringBuilder();
        foreach (var (name, fragment) in wanted)
        {
            from.Fragments.TryGetValue(name, out var before);
            if (before is null || !fragment.SameAs(before))
            {
                Update(table, before, fragment, change, rules);
            }
        }

        change.Append(rules);
        Elements(table, from, next, change);
        foreach (var (name, before) in from.Fragments)
        {
            wanted.TryGetValue(name, out var after);
            if (after is null || !after.SameAs(before))
            {
                Remove(table, before, after, change, sweep, deletes);
            }
        }

        return new NftPlan(change.ToString(), sweep.Append(deletes).ToString(), next, full);
    }

    private static void Update(string table, NftFragment? before, NftFragment after, StringBuilder declarations, StringBuilder rules)
    {
        foreach (var set in after.Sets)
        {
            if (before?.Sets.FirstOrDefault(s => s.Name == set.Name) is { } old)
            {
                if (old == set)
                {
                    continue;
                }

                // A set's timeout cannot be changed: its chain lets go of it first, then it is made anew.
                foreach (var chain in before.Chains)
                {
                    declarations.Append($"flush chain {table} {chain.Name}\n");
                }

                declarations.Append($"delete set {table} {set.Name}\n");
            }

            declarations.Append($"add set {table} {set.Name} {{ {set.Declaration} }}\n");
        }

        var setsRemade = before is not null && after.Sets.Any(s => before.Sets.Any(o => o.Name == s.Name && o != s));
        foreach (var chain in after.Chains)
        {
            var old = before?.Chains.FirstOrDefault(c => c.Name == chain.Name);
            if (old is not null && !setsRemade && old.Rules.SequenceEqual(chain.Rules))
            {
                continue;
            }

            declarations.Append($"add chain {table} {chain.Name}\n");
            if (old is not null)
            {
                rules.Append($"flush chain {table} {chain.Name}\n");
            }

            foreach (var rule in chain.Rules)
            {
                rules.Append($"add rule {table} {chain.Name} {rule}\n");
            }
        }
    }

    private static void Elements(string table, NftState from, NftState next, StringBuilder change)
    {
        foreach (var (key, value) in from.Elements)
        {
            if (!next.Elements.TryGetValue(key, out var now) || now != value)
            {
                change.Append($"delete element {table} {key.Set} {{ {key.Key} }}\n");
            }
        }

        foreach (var (key, value) in next.Elements)
        {
            if (!from.Elements.TryGetValue(key, out var then) || then != value)
            {
                var verdict = value.Verdict.Length == 0 ? "" : " : " + value.Verdict;
                var comment = value.Comment.Length == 0 ? "" : $" comment \"{value.Comment}\"";
                change.Append($"add element {table} {key.Set} {{ {key.Key}{comment}{verdict} }}\n");
            }
        }
    }

    private static void Remove(string table, NftFragment before, NftFragment? after, StringBuilder change, StringBuilder sweep, StringBuilder deletes)
    {
        foreach (var chain in before.Chains)
        {
            if (after?.Chains.Any(c => c.Name == chain.Name) == true)
            {
                continue;
            }

            change.Append($"flush chain {table} {chain.Name}\n");
            sweep.Append($"flush chain {table} {chain.Name}\n");
            deletes.Append($"delete chain {table} {chain.Name}\n");
        }

        foreach (var set in before.Sets)
        {
            if (after?.Sets.Any(s => s.Name == set.Name) != true)
            {
                deletes.Append($"delete set {table} {set.Name}\n");
            }
        }
    }

    private static Dictionary<(string, string), (string, string)> Merge(IReadOnlyDictionary<ServicePortName, NftFragment> fragments)
    {
        var merged = new Dictionary<(string, string), (string, string)>(fragments.Count * 2);
        var contested = false;
        foreach (var fragment in fragments.Values)
        {
            foreach (var element in fragment.Elements)
            {
                contested |= !merged.TryAdd((element.Set, element.Key), (element.Verdict, CommentOf(element, fragment))) && element.Set != NftBase.ClusterIPs;
            }
        }

        if (!contested)
        {
            return merged;
        }

        // The winner of a contested key must not depend on the order of a dictionary.
        merged.Clear();
        foreach (var fragment in fragments.Values.OrderBy(f => f.Comment, StringComparer.Ordinal))
        {
            foreach (var element in fragment.Elements)
            {
                merged.TryAdd((element.Set, element.Key), (element.Verdict, CommentOf(element, fragment)));
            }
        }

        return merged;
    }

    /// <summary>An address belongs to all ports of its Service, so it has no port's name.</summary>
    private static string CommentOf(NftElement element, NftFragment fragment) => element.Set == NftBase.ClusterIPs ? "" : fragment.Comment;
}
