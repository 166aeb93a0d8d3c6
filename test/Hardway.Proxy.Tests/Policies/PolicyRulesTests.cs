using Hardway.Proxy.Policies;
using static Hardway.Proxy.Tests.Policies.PolicySamples;

namespace Hardway.Proxy.Tests.Policies;

public sealed class PolicyRulesTests
{
    private static IReadOnlyList<string> Rules(string spec, PolicyDirection direction = PolicyDirection.Ingress) => PolicyRules.Build(PolicyCompiler.Compile(Policy(spec)), direction).Rules;

    private static (bool Ingress, bool Egress) Isolates(string spec)
    {
        var policy = PolicyCompiler.Compile(Policy(spec));
        return (policy.Ingress is not null, policy.Egress is not null);
    }

    [Fact]
    public void Without_types_ingress_counts_and_egress_where_there_are_rules_for_it()
    {
        Assert.Equal((true, false), Isolates("{podSelector: {}}"));
        Assert.Equal((true, true), Isolates("{podSelector: {}, egress: [{}]}"));
        Assert.Equal((false, true), Isolates("{podSelector: {}, policyTypes: [Egress]}"));
        Assert.Equal((true, false), Isolates("{podSelector: {}, policyTypes: [Ingress], egress: [{}]}"));
    }

    [Fact]
    public void A_rule_without_peers_and_ports_allows_everything() => Assert.Equal(["accept"], Rules("{podSelector: {}, ingress: [{}]}"));

    [Fact]
    public void A_policy_without_rules_allows_nothing() => Assert.Empty(Rules("{podSelector: {}, policyTypes: [Ingress]}"));

    [Fact]
    public void Ports_are_numbers_ranges_and_whole_protocols()
    {
        Assert.Equal(
            ["tcp dport { 80-90, 443 } accept", "meta l4proto udp accept", "sctp dport 7 accept"],
            Rules("{podSelector: {}, ingress: [{ports: [{port: 443}, {port: 80, endPort: 85}, {port: 84, endPort: 90}, {protocol: UDP, port: 53}, {protocol: UDP}, {protocol: SCTP, port: 7}]}]}"));
    }

    [Fact]
    public void Named_ports_are_those_of_the_Pods_that_are_connected_to()
    {
        Assert.Equal(
            ["ip daddr . meta l4proto . th dport @port-web-tcp-here-v4 accept", "ip6 daddr . meta l4proto . th dport @port-web-tcp-here-v6 accept"],
            Rules("{podSelector: {}, ingress: [{ports: [{port: web}]}]}"));
        Assert.Contains("@port-web-tcp-all-v4 accept", Rules("{podSelector: {}, egress: [{ports: [{port: web}]}]}", PolicyDirection.Egress)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_are_cut_by_their_exceptions_and_joined()
    {
        Assert.Equal(
            ["ip daddr { 10.0.0.0-10.0.255.255, 10.2.0.0-10.255.255.255, 192.0.2.7 } tcp dport 80 accept", "ip6 daddr fd00::-fd00::ffff tcp dport 80 accept"],
            Rules("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}, {ipBlock: {cidr: 192.0.2.7/32}}, {ipBlock: {cidr: 'fd00::/112'}}], ports: [{port: 80}]}]}", PolicyDirection.Egress));
        Assert.Equal(["meta nfproto ipv4 accept"], Rules("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}"));
    }

    [Fact]
    public void A_block_that_is_excepted_altogether_allows_nothing() =>
        Assert.Empty(Rules("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/9, 10.128.0.0/9]}}]}]}"));

    [Fact]
    public void The_whole_of_a_nodes_rules() => Golden.Same("policy-full.nft", PolicyPlanner.Plan(null, Index(
        Policy("{podSelector: {}, policyTypes: [Ingress, Egress]}", "deny"),
        Policy("{podSelector: {matchLabels: {app: a}}, ingress: [{from: [{podSelector: {matchLabels: {app: b}}}, {namespaceSelector: {matchLabels: {team: red}}}], ports: [{port: web}, {protocol: UDP, port: 53}]}]}", "allow")).Build()).Change);

    [Fact]
    public void Policies_of_other_nodes_Pods_and_of_no_Pod_leave_no_rules()
    {
        Assert.Equal(PolicyBase.Remove, PolicyPlanner.Plan(null, Index(Policy("{podSelector: {matchLabels: {app: c}}}", @namespace: "other"), Policy("{podSelector: {matchLabels: {app: z}}}")).Build()).Change);
        Assert.Equal("", PolicyPlanner.Plan(PolicyRuleSet.Empty, Index().Build()).Change);
    }
}
