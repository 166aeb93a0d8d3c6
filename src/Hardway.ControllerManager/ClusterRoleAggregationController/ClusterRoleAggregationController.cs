using Hardway.Api;
using Hardway.Api.Rbac.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Fills ClusterRoles that have an aggregationRule with the rules of all that its selectors find, sorted by name, each rule once. Keys are ClusterRoles.</summary>
internal sealed class ClusterRoleAggregationController : ClusterController
{
    private readonly Informer<ClusterRole> _roles;

    public ClusterRoleAggregationController(ControllerContext context) : base("clusterrole-aggregation-controller", "clusterrole-aggregation-controller", context)
    {
        _roles = Watch<ClusterRole>();
        _roles.AddHandler(_ => EnqueueAggregated());
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_roles.Store.Get(key) is not { AggregationRule: { } rule } role) return;
        var rules = Aggregate(role, rule, _roles.Store.List());
        var wanted = role.Clone();
        wanted.Rules = rules;
        if (!ApiStruct.DeepEquals(wanted, role)) await Client.UpdateAsync(wanted, cancellationToken);
    }

    internal static List<PolicyRule> Aggregate(ClusterRole role, AggregationRule rule, IEnumerable<ClusterRole> all)
    {
        List<PolicyRule> rules = [];
        var ordered = all.OrderBy(r => r.Metadata.Name, StringComparer.Ordinal).ToList();
        foreach (var selector in (rule.ClusterRoleSelectors ?? []).Select(Selector.From))
        {
            foreach (var source in ordered.Where(r => r.Metadata.Name != role.Metadata.Name && selector.Matches(r.Metadata.Labels)))
            {
                foreach (var added in source.Rules ?? [])
                {
                    if (!rules.Exists(r => ApiStruct.DeepEquals(r, added))) rules.Add(added);
                }
            }
        }
        return rules;
    }

    private void EnqueueAggregated()
    {
        foreach (var role in _roles.Store.List().Where(r => r.AggregationRule is not null)) Queue.Add(role.Metadata.Name);
    }
}
