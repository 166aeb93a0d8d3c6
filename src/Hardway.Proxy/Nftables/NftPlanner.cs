using System.Text;
using Hardway.Proxy.Model;

namespace Hardway.Proxy.Nftables;

/// <summary>
/// Computes the scripts from what a table holds to what it should hold; what has not changed is not looked into. Pure.
/// Order inside the change: new sets, new chains (empty), rules, then elements that lead traffic to them; so no packet meets half of it.
/// </summary>
internal static class NftPlanner
{
    private const int ElementsALine = 500;

    public static NftPlan Plan(NftState? current, IReadOnlyDictionary<ServicePortName, NftFragment> wanted, NftOptions options)
    {
        var from = current ?? new NftState();
        var table = options.Family.TableRef;
        var changed = new Dictionary<ServicePortName, NftFragment?>();
        foreach (var (name, fragment) in wanted)
        {
            if (!from.Fragments.TryGetValue(name, out var before) || !fragment.SameAs(before))
            {
                changed[name] = fragment;
            }
        }

        foreach (var name in from.Fragments.Keys)
        {
            if (!wanted.ContainsKey(name))
            {
                changed[name] = null;
            }
        }

        HashSet<NftPick> picks = changed.Count == 0 ? [.. from.Picks] : wanted.Values.SelectMany(f => f.Picks).ToHashSet();
        var elements = Touched(from, changed);
        var change = new StringBuilder(current is null ? NftBase.Recreate(options) : "");
        var rules = new StringBuilder();
        var sweep = new StringBuilder();
        var deletes = new StringBuilder();
        AddPicks(table, options.Family, picks.Except(from.Picks), change, rules);
        foreach (var (name, fragment) in changed)
        {
            if (fragment is not null)
            {
                Update(table, from.Fragments.GetValueOrDefault(name), fragment, change, rules);
            }
        }

        change.Append(rules);
        Elements(table, from, elements, change);
        foreach (var (name, fragment) in changed)
        {
            if (from.Fragments.TryGetValue(name, out var before))
            {
                Remove(table, before, fragment, change, sweep, deletes);
            }
        }

        foreach (var pick in from.Picks.Except(picks).OrderBy(p => p.Chain, StringComparer.Ordinal))
        {
            deletes.Append($"delete chain {table} {pick.Chain}\n");
        }

        return new NftPlan(from, changed, elements, picks) { Change = change.ToString(), Sweep = sweep.Append(deletes).ToString() };
    }

    private static void AddPicks(string table, NftFamily family, IEnumerable<NftPick> picks, StringBuilder chains, StringBuilder rules)
    {
        foreach (var pick in picks.OrderBy(p => p.Chain, StringComparer.Ordinal))
        {
            chains.Append($"add chain {table} {pick.Chain}\n");
            foreach (var rule in pick.Rules(family))
            {
                rules.Append($"add rule {table} {pick.Chain} {rule}\n");
            }
        }
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

    /// <summary>The claims, after the change, on every element that a changed port has or had.</summary>
    private static Dictionary<(string, string), NftClaim[]> Touched(NftState from, Dictionary<ServicePortName, NftFragment?> changed)
    {
        var touched = new Dictionary<(string, string), NftClaim[]>();
        foreach (var (name, _) in changed)
        {
            foreach (var element in from.Fragments.GetValueOrDefault(name)?.Elements ?? [])
            {
                var key = (element.Set, element.Key);
                if (!touched.ContainsKey(key))
                {
                    touched[key] = [.. from.Elements[key].Where(c => !changed.ContainsKey(c.Owner))];
                }
            }
        }

        foreach (var (name, fragment) in changed)
        {
            foreach (var element in fragment?.Elements ?? [])
            {
                var key = (element.Set, element.Key);
                var claim = new NftClaim(name, element.Value, Comment(element, fragment!));
                var others = touched.TryGetValue(key, out var known) ? known : from.Elements.GetValueOrDefault(key) ?? [];

                // The winner of a contested element must not depend on the order of a dictionary.
                touched[key] = others.Length == 0 ? [claim] : [.. others.Append(claim).DistinctBy(c => c.Owner).OrderBy(c => c.Owner.ToString(), StringComparer.Ordinal)];
            }
        }

        return touched;
    }

    private static void Elements(string table, NftState from, Dictionary<(string Set, string Key), NftClaim[]> touched, StringBuilder change)
    {
        var gone = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var come = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var (key, claims) in touched)
        {
            var then = from.Elements.GetValueOrDefault(key)?[0];
            var now = claims.Length == 0 ? null : claims[0];
            if (then is not null && now is not null && (then.Value, then.Comment) == (now.Value, now.Comment))
            {
                continue;
            }

            if (then is not null)
            {
                Of(gone, key.Set).Add(key.Key);
            }

            if (now is not null)
            {
                var comment = now.Comment.Length == 0 ? "" : $" comment \"{now.Comment}\"";
                Of(come, key.Set).Add(now.Value.Length == 0 ? key.Key + comment : $"{key.Key}{comment} : {now.Value}");
            }
        }

        Lines(table, "delete", gone, change);
        Lines(table, "add", come, change);
    }

    private static List<string> Of(Dictionary<string, List<string>> bySet, string set) => bySet.TryGetValue(set, out var list) ? list : bySet[set] = [];

    private static void Lines(string table, string verb, Dictionary<string, List<string>> bySet, StringBuilder change)
    {
        foreach (var (set, elements) in bySet.OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            foreach (var chunk in elements.Chunk(ElementsALine))
            {
                change.Append($"{verb} element {table} {set} {{ ").AppendJoin(", ", chunk).Append(" }\n");
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

    /// <summary>Who reads the maps is told whose an entry is; where many share one, or it only follows from another, nothing is said.</summary>
    private static string Comment(NftElement element, NftFragment fragment) =>
        element.Set is NftBase.ClusterIPs or NftBase.Hairpins or NftBase.Endpoints or NftBase.NodePortEndpoints ? "" : fragment.Comment;
}
