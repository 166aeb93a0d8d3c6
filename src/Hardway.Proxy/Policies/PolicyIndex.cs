using Hardway.Proxy.Nftables;

namespace Hardway.Proxy.Policies;

/// <summary>
/// Policies, Pods and namespaces as they are now, and from them the rules of this node. Only policies that select a Pod of this node get rules, and
/// only the peers of those get sets; a Pod's change goes straight to the sets that it concerns. One owner.
/// </summary>
internal sealed class PolicyIndex
{
    private readonly Dictionary<string, PodFacts> _pods = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, PodFacts> _local = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _podsByNamespace = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _namespaces = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedDictionary<string, PolicyModel>> _policies = new(StringComparer.Ordinal);
    private Dictionary<(PolicyModel, PolicyDirection), PolicyRules> _rules = new();
    private Dictionary<string, PodSet> _sets = new(StringComparer.Ordinal);

    /// <summary>Null: the Pod is gone.</summary>
    public void SetPod(string key, PodFacts? pod)
    {
        _pods.TryGetValue(key, out var before);
        if (pod is null ? before is null : pod.SameAs(before))
        {
            return;
        }

        var @namespace = (pod ?? before)!.Namespace;
        if (pod is not null)
        {
            _pods[key] = pod;
            (_podsByNamespace.TryGetValue(@namespace, out var keys) ? keys : _podsByNamespace[@namespace] = new(StringComparer.Ordinal)).Add(key);
        }
        else
        {
            _pods.Remove(key);
            _podsByNamespace[@namespace].Remove(key);
        }

        if (pod is { IsLocal: true })
        {
            _local[key] = pod;
        }
        else
        {
            _local.Remove(key);
        }

        Update(key, pod, @namespace);
    }

    /// <summary>Null: the namespace is gone.</summary>
    public void SetNamespace(string name, IReadOnlyDictionary<string, string>? labels)
    {
        if (labels is null)
        {
            _namespaces.Remove(name);
        }
        else
        {
            _namespaces[name] = labels;
        }

        foreach (var key in _podsByNamespace.GetValueOrDefault(name) ?? [])
        {
            Update(key, _pods[key], name);
        }
    }

    /// <summary>Null: the policy is gone.</summary>
    public void SetPolicy(string @namespace, string name, PolicyModel? policy)
    {
        if (!_policies.TryGetValue(@namespace, out var all))
        {
            _policies[@namespace] = all = new(StringComparer.Ordinal);
        }

        if (policy is null)
        {
            all.Remove(name);
        }
        else
        {
            all[name] = policy;
        }
    }

    public PolicyRuleSet Build()
    {
        var rules = new Dictionary<(PolicyModel, PolicyDirection), PolicyRules>();
        var sets = new Dictionary<string, PodSet>(StringComparer.Ordinal);
        var chains = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        var elements = new Dictionary<(string, string), string>();
        foreach (var pod in _local.Values)
        {
            foreach (var direction in Enum.GetValues<PolicyDirection>())
            {
                Isolate(pod, direction, rules, sets, chains, elements);
            }
        }

        (_rules, _sets) = (rules, sets);
        return new PolicyRuleSet { Sets = sets, Chains = chains, Elements = elements };
    }

    /// <summary>Pods that the same policies select share a chain, which asks one policy after the other and drops what none of them allowed.</summary>
    private void Isolate(
        PodFacts pod,
        PolicyDirection direction,
        Dictionary<(PolicyModel, PolicyDirection), PolicyRules> rules,
        Dictionary<string, PodSet> sets,
        Dictionary<string, IReadOnlyList<string>> chains,
        Dictionary<(string, string), string> elements)
    {
        var policies = (_policies.GetValueOrDefault(pod.Namespace)?.Values ?? Enumerable.Empty<PolicyModel>()).Where(p => p.Rules(direction) is not null && p.Selects(pod)).ToList();
        if (policies.Count == 0)
        {
            return;
        }

        var chain = $"{PolicyBase.Word(direction)}-of-{NftNames.Hash(string.Join(' ', policies.Select(p => p.Key)), PolicySets.HashLength)}";
        if (!chains.ContainsKey(chain))
        {
            var all = policies.ConvertAll(p => Rules(p, direction, rules, sets));
            all.ForEach(r => chains[r.Chain] = r.Rules);
            chains[chain] = [.. all.Select(r => $"jump {r.Chain}"), "drop"];
        }

        foreach (var v6 in (bool[])[false, true])
        {
            foreach (var address in pod.AddressesOf(v6))
            {
                elements.TryAdd((PolicyBase.Map(direction, v6), address), $"jump {chain}");
                elements.TryAdd((PolicyBase.Self(v6), $"{address} . {address}"), "");
            }
        }
    }

    private PolicyRules Rules(PolicyModel policy, PolicyDirection direction, Dictionary<(PolicyModel, PolicyDirection), PolicyRules> rules, Dictionary<string, PodSet> sets)
    {
        if (!rules.TryGetValue((policy, direction), out var built))
        {
            rules[(policy, direction)] = built = _rules.GetValueOrDefault((policy, direction)) ?? PolicyRules.Build(policy, direction);
        }

        foreach (var set in built.Sets)
        {
            if (!sets.ContainsKey(set.Name))
            {
                sets[set.Name] = _sets.GetValueOrDefault(set.Name) ?? Filled(set);
            }
        }

        return built;
    }

    private PodSet Filled(PodSet set)
    {
        set.Clear();
        foreach (var (key, pod) in _pods)
        {
            set.Update(key, pod, _namespaces.GetValueOrDefault(pod.Namespace));
        }

        return set;
    }

    private void Update(string key, PodFacts? pod, string @namespace)
    {
        var labels = _namespaces.GetValueOrDefault(@namespace);
        foreach (var set in _sets.Values)
        {
            set.Update(key, pod, labels);
        }
    }
}
