using Hardway.Api.Rbac.V1;
using Hardway.ApiServer.Admission;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Authorization.Rbac;

/// <summary>
/// Nobody gives away rights that he does not have: a write of a role needs all its rules or the verb "escalate", a write of a binding the
/// rules of its role or the verb "bind" on it. Part of the API rather than a plugin that can be turned off; it sits in the admission chain
/// because there the outcome of patches and webhooks is known.
/// </summary>
internal sealed class RbacEscalation(IAuthorizer authorizer, RbacAuthorizer rbac) : AdmissionPlugin
{
    private static readonly PolicyRule[] s_everything = [new() { Verbs = ["*"], ApiGroups = ["*"], Resources = ["*"] }, new() { Verbs = ["*"], NonResourceURLs = ["*"] }];

    public override string Name => "RbacEscalation";

    public override ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken) => CheckAsync(attributes, cancellationToken);

    public override ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken) => CheckAsync(attributes, cancellationToken);

    private async ValueTask CheckAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes.Group != BootstrapPolicy.RbacGroup || attributes.Subresource.Length > 0 || attributes.User.InGroup(UserInfo.MastersGroup))
        {
            return;
        }

        switch (attributes.Object)
        {
            case Role role when !SameRules(role.Rules, (attributes.OldObject as Role)?.Rules):
                await CheckRoleAsync(attributes, role.Rules, cancellationToken).ConfigureAwait(false);
                break;
            case ClusterRole role:
                await CheckClusterRoleAsync(attributes, role, attributes.OldObject as ClusterRole, cancellationToken).ConfigureAwait(false);
                break;
            case RoleBinding binding when attributes.OldObject is not RoleBinding old || !SameBinding(binding.RoleRef, binding.Subjects, old.RoleRef, old.Subjects):
                await CheckBindingAsync(attributes, binding.RoleRef, cancellationToken).ConfigureAwait(false);
                break;
            case ClusterRoleBinding binding when attributes.OldObject is not ClusterRoleBinding old || !SameBinding(binding.RoleRef, binding.Subjects, old.RoleRef, old.Subjects):
                await CheckBindingAsync(attributes, binding.RoleRef, cancellationToken).ConfigureAwait(false);
                break;
        }
    }

    private async ValueTask CheckClusterRoleAsync(AdmissionAttributes attributes, ClusterRole role, ClusterRole? old, CancellationToken cancellationToken)
    {
        if (role.AggregationRule is not null && (old is null || !Api.ApiStruct.DeepEquals(role.AggregationRule, old.AggregationRule)))
        {
            await CheckRoleAsync(attributes, s_everything, cancellationToken).ConfigureAwait(false);
        }

        if (old is null || !SameRules(role.Rules, old.Rules))
        {
            await CheckRoleAsync(attributes, role.Rules, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask CheckRoleAsync(AdmissionAttributes attributes, IEnumerable<PolicyRule>? rules, CancellationToken cancellationToken)
    {
        if (!await MayAsync(attributes, "escalate", attributes.Resource, attributes.Name, cancellationToken).ConfigureAwait(false))
        {
            Confirm(attributes, rules ?? []);
        }
    }

    private async ValueTask CheckBindingAsync(AdmissionAttributes attributes, RoleRef role, CancellationToken cancellationToken)
    {
        var resource = role.Kind == "ClusterRole" ? "clusterroles" : "roles";
        if (await MayAsync(attributes, "bind", resource, role.Name, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        Confirm(attributes, rbac.RulesOf(attributes.Namespace, role) ?? throw Statuses.NotFound(attributes.Group, attributes.Resource, role.Name));
    }

    private async ValueTask<bool> MayAsync(AdmissionAttributes attributes, string verb, string resource, string name, CancellationToken cancellationToken)
    {
        var asked = new AuthorizationAttributes
        {
            User = attributes.User,
            Verb = verb,
            IsResource = true,
            Group = BootstrapPolicy.RbacGroup,
            Version = "*",
            Resource = resource,
            Namespace = attributes.Namespace,
            Name = name,
        };
        return (await authorizer.AuthorizeAsync(asked, cancellationToken).ConfigureAwait(false)).Allowed;
    }

    private void Confirm(AdmissionAttributes attributes, IEnumerable<PolicyRule> wanted)
    {
        var missing = RuleCover.Missing(rbac.RulesFor(attributes.User, attributes.Namespace), wanted);
        if (missing.Count > 0)
        {
            var groups = string.Join(" ", attributes.User.Groups.Select(g => $"\"{g}\""));
            throw Statuses.Forbidden(attributes.Group, attributes.Resource, attributes.Name,
                $"user \"{attributes.User.Name}\" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:\n{RuleCover.Describe(missing)}");
        }
    }

    private static bool SameRules(List<PolicyRule>? a, List<PolicyRule>? b) =>
        (a?.Count ?? 0) == (b?.Count ?? 0) && (a ?? []).Zip(b ?? []).All(p => Api.ApiStruct.DeepEquals(p.First, p.Second)) && b is not null;

    private static bool SameBinding(RoleRef roleA, List<Subject>? a, RoleRef roleB, List<Subject>? b) =>
        Api.ApiStruct.DeepEquals(roleA, roleB) && (a?.Count ?? 0) == (b?.Count ?? 0) && (a ?? []).Zip(b ?? []).All(p => Api.ApiStruct.DeepEquals(p.First, p.Second));
}
