using Hardway.Api.Rbac.V1;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Authorization.Rbac;

/// <summary>Roles and bindings: a request is allowed when a rule that is bound to its user, in the cluster or in the request's namespace, fits.</summary>
internal sealed class RbacAuthorizer(IResourceReader reader) : IAuthorizer
{
    private readonly RbacFeed _feed = new(reader);

    public ValueTask<AuthorizationResult> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken cancellationToken) => ValueTask.FromResult(Authorize(attributes));

    public AuthorizationResult Authorize(AuthorizationAttributes attributes)
    {
        var index = _feed.Current();
        return Find(index, "", attributes)
            ?? (attributes.IsResource && attributes.Namespace.Length > 0 ? Find(index, attributes.Namespace, attributes) : null)
            ?? AuthorizationResult.NoOpinion;
    }

    /// <summary>All rules that the user has in the namespace (empty: in the cluster alone).</summary>
    public List<PolicyRule> RulesFor(UserInfo user, string ns)
    {
        var index = _feed.Current();
        var rules = new List<PolicyRule>();
        Collect("");
        if (ns.Length > 0)
        {
            Collect(ns);
        }

        return rules;

        void Collect(string where)
        {
            foreach (var (binding, _) in index.BindingsOf(where, user.Name, user.Groups))
            {
                foreach (var rule in index.RulesOf(where, binding.Role))
                {
                    rules.Add(rule.Rule);
                }
            }
        }
    }

    /// <summary>The rules of a role that a binding in the namespace names; null when there is no such role.</summary>
    public List<PolicyRule>? RulesOf(string ns, RoleRef role)
    {
        var index = _feed.Current();
        return index.HasRole(role.Kind == "ClusterRole" ? "" : ns, role.Name) ? [.. index.RulesOf(ns, role).ToArray().Select(r => r.Rule)] : null;
    }

    private static AuthorizationResult? Find(RbacIndex index, string ns, AuthorizationAttributes attributes)
    {
        foreach (var (binding, subject) in index.BindingsOf(ns, attributes.User.Name, attributes.User.Groups))
        {
            foreach (var rule in index.RulesOf(ns, binding.Role))
            {
                if (attributes.IsResource
                    ? rule.AllowsResource(attributes.Verb, attributes.Group, attributes.Resource, attributes.Subresource, attributes.Name)
                    : rule.AllowsPath(attributes.Verb, attributes.Path))
                {
                    return AuthorizationResult.Allow(binding.Describe(subject));
                }
            }
        }

        return null;
    }
}
