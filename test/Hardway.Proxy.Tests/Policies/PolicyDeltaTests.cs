using Hardway.Proxy.Policies;
using static Hardway.Proxy.Tests.Policies.PolicySamples;

namespace Hardway.Proxy.Tests.Policies;

public sealed class PolicyDeltaTests
{
    private const string FromRed = "{podSelector: {matchLabels: {app: a}}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: red}}}], ports: [{port: web}]}]}";
    private static readonly string s_peer = "peer-" + Nftables.NftNames.Hash("namespaces team=red, pods ", PolicySets.HashLength);

    /// <summary>The script that follows a change, once everything before it is in the kernel.</summary>
    private static PolicyPlan After(PolicyIndex index, Action<PolicyIndex> change)
    {
        var before = index.Build();
        foreach (var set in before.Sets.Values)
        {
            set.Commit();
        }

        change(index);
        return PolicyPlanner.Plan(before, index.Build());
    }

    [Fact]
    public void A_new_Pod_elsewhere_is_one_element()
    {
        var plan = After(Index(Policy(FromRed)), i => Put(i, Pod("d", "{}", "10.200.1.9", "other", "node-1")));

        Assert.Equal($"add element {PolicyBase.Table} {s_peer}-v4 {{ 10.200.1.9 }}\n", plan.Change);
        Assert.Equal("", plan.Sweep);
    }

    [Fact]
    public void A_Pod_that_concerns_nobody_changes_nothing() =>
        Assert.Equal("", After(Index(Policy(FromRed)), i => Put(i, Pod("d", "{}", "10.200.1.9", "default", "node-1"))).Change);

    [Fact]
    public void A_Pod_that_ends_gives_its_address_back()
    {
        var plan = After(Index(Policy(FromRed)), i => i.SetPod("other/c", null));

        Assert.Equal($"delete element {PolicyBase.Table} {s_peer}-v4 {{ 192.0.2.2 }}\ndelete element {PolicyBase.Table} {s_peer}-v6 {{ fd00:2::2 }}\n", plan.Change);
    }

    [Fact]
    public void An_address_that_went_from_one_Pod_to_another_stays()
    {
        var index = Index(Policy(FromRed));
        var plan = After(index, i =>
        {
            Put(i, Pod("e", "{}", "192.0.2.2 fd00:2::2", "other", "node-1"));
            i.SetPod("other/c", null);
        });

        Assert.Equal("", plan.Change);
    }

    [Fact]
    public void A_namespace_whose_labels_change_brings_its_Pods()
    {
        var plan = After(Index(Policy(FromRed)), i => i.SetNamespace("default", new Dictionary<string, string> { ["team"] = "red" }));

        Assert.Equal($"add element {PolicyBase.Table} {s_peer}-v4 {{ 10.200.0.2, 10.200.0.3 }}\nadd element {PolicyBase.Table} {s_peer}-v6 {{ fd00:200::2, fd00:200::3 }}\n", plan.Change);
    }

    [Fact]
    public void A_new_local_Pod_that_a_policy_selects_joins_the_chain_that_is_there()
    {
        var plan = After(Index(Policy("{podSelector: {}}")), i => Put(i, Pod("d", "{}", "10.200.0.9")));
        var chain = "ingress-of-" + Nftables.NftNames.Hash("default/p", PolicySets.HashLength);

        Assert.Equal(
            $"add element {PolicyBase.Table} ingress-v4 {{ 10.200.0.9 : jump {chain} }}\nadd element {PolicyBase.Table} self-v4 {{ 10.200.0.9 . 10.200.0.9 }}\n",
            string.Concat(plan.Change.Split('\n').Where(l => l.Length > 0).Order(StringComparer.Ordinal).Select(l => l + "\n")));
    }

    [Fact]
    public void A_policy_that_goes_takes_its_chains_and_sets_with_it_and_another_keeps_its_own()
    {
        var index = Index(Policy(FromRed, "red"), Policy("{podSelector: {matchLabels: {app: a}}, ingress: [{ports: [{port: 80}]}]}", "plain"));
        var plan = After(index, i => i.SetPolicy("default", "red", null));

        Assert.Contains($"delete set {PolicyBase.Table} {s_peer}-v4", plan.Sweep, StringComparison.Ordinal);
        Assert.Contains($"delete set {PolicyBase.Table} port-web-tcp-here-v4", plan.Sweep, StringComparison.Ordinal);
        Assert.DoesNotContain("plain", plan.Sweep, StringComparison.Ordinal);
        Assert.Equal(PolicyBase.Remove, After(index, i => i.SetPolicy("default", "plain", null)).Change);
    }

    [Fact]
    public void A_set_that_comes_back_is_filled_anew()
    {
        var index = Index(Policy(FromRed));
        After(index, i => i.SetPolicy("default", "p", null));
        Put(index, Pod("d", "{}", "10.200.1.9", "other", "node-1"));
        var plan = After(index, i => Put(i, Policy(FromRed)));

        Assert.Contains("{ 192.0.2.2, 10.200.1.9 }", plan.Change, StringComparison.Ordinal);
    }

    [Fact]
    public void Pods_on_the_nodes_network_and_ended_ones_are_no_peers()
    {
        Assert.Null(PodFacts.Of(Pod("h", "{}", "10.240.0.80", more: "hostNetwork: true"), "node-0"));
        var ended = Pod("j", "{}", "10.200.0.7");
        ended.Status.Phase = "Succeeded";
        Assert.Null(PodFacts.Of(ended, "node-0"));
    }

    [Fact]
    public void Sidecars_give_names_to_ports_and_plain_init_containers_do_not()
    {
        var pod = PodFacts.Of(Pod("s", "{}", "10.200.0.7", more: "initContainers: [{name: i, ports: [{name: once, containerPort: 1}]}, {name: s, restartPolicy: Always, ports: [{name: side, containerPort: 2, protocol: UDP}]}]"), "node-0")!;

        Assert.Equal(["side", "web", "admin"], pod.Ports.Select(p => p.Name));
        Assert.Equal(Model.L4Protocol.Udp, pod.Ports[0].Protocol);
    }
}
