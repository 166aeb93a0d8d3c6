using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.Api.Rbac.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Authorization.Rbac;

/// <summary>
/// Makes the default roles and bindings at start, and puts back what is missing of them (rules, subjects, labels), unless somebody
/// annotated one with autoupdate=false. What was added is left. Several servers may do this at once.
/// </summary>
internal sealed class RbacBootstrap(IResourceReader reader, IResourceWriter writer)
{
    private const int AtOnce = 16;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var policy = BootstrapPolicy.Read();
        await EachAsync(policy.ClusterRoles, (existing, wanted) => WithRules(existing, wanted, existing.Rules ??= [], wanted.Rules), cancellationToken).ConfigureAwait(false);
        await EachAsync(policy.Roles, (existing, wanted) => WithRules(existing, wanted, existing.Rules ??= [], wanted.Rules), cancellationToken).ConfigureAwait(false);
        await EachAsync(policy.ClusterRoleBindings, (existing, wanted) => WithSubjects(existing, wanted, existing.Subjects ??= [], wanted.Subjects), cancellationToken, (a, b) => a.RoleRef.Name == b.RoleRef.Name).ConfigureAwait(false);
        await EachAsync(policy.RoleBindings, (existing, wanted) => WithSubjects(existing, wanted, existing.Subjects ??= [], wanted.Subjects), cancellationToken, (a, b) => a.RoleRef.Name == b.RoleRef.Name && a.RoleRef.Kind == b.RoleRef.Kind).ConfigureAwait(false);
    }

    private async Task EachAsync<T>(List<T> all, Func<T, T, bool> complete, CancellationToken cancellationToken, Func<T, T, bool>? sameRole = null)
        where T : KubeObject, IApiType<T>, new() =>
        await Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (wanted, token) => await EnsureAsync(wanted, complete, sameRole, token).ConfigureAwait(false)).ConfigureAwait(false);

    private async Task EnsureAsync<T>(T wanted, Func<T, T, bool> complete, Func<T, T, bool>? sameRole, CancellationToken cancellationToken)
        where T : KubeObject, IApiType<T>, new()
    {
        var (ns, name) = (wanted.Metadata.Namespace, wanted.Metadata.Name);
        var existing = reader.Get<T>(ns, name) ?? await reader.GetFreshAsync<T>(ns, name, cancellationToken).ConfigureAwait(false);
        if (existing is not null && sameRole is not null && !sameRole(existing, wanted) && IsKept(existing))
        {
            // A binding's role cannot be changed: the default one comes back in its place.
            await writer.DeleteAsync<T>(ns, name, cancellationToken).ConfigureAwait(false);
            existing = null;
        }

        if (existing is null)
        {
            try
            {
                await writer.CreateAsync(wanted, cancellationToken).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsAlreadyExists)
            {
                // Another server was faster with the same.
            }

            return;
        }

        if (IsKept(existing) && complete(existing.Clone(), wanted))
        {
            await writer.UpdateAsync<T>(ns, name, current => IsKept(current) && complete(current, wanted) ? current : null, cancellationToken).ConfigureAwait(false);
        }
    }

    private static bool IsKept(KubeObject value) => value.Metadata.Annotations?.GetValueOrDefault(BootstrapPolicy.AutoUpdate) != "false";

    private static bool WithRules(KubeObject existing, KubeObject wanted, List<PolicyRule> have, List<PolicyRule>? want)
    {
        var missing = RuleCover.Missing(have, want ?? []);
        have.AddRange(missing);
        return WithMeta(existing.Metadata, wanted.Metadata) | missing.Count > 0;
    }

    private static bool WithSubjects(KubeObject existing, KubeObject wanted, List<Subject> have, List<Subject>? want)
    {
        var missing = (want ?? []).Where(w => !have.Any(h => ApiStruct.DeepEquals(h, w))).ToList();
        have.AddRange(missing);
        return WithMeta(existing.Metadata, wanted.Metadata) | missing.Count > 0;
    }

    private static bool WithMeta(ObjectMeta existing, ObjectMeta wanted) =>
        WithPairs(existing.Labels ??= new(StringComparer.Ordinal), wanted.Labels) | WithPairs(existing.Annotations ??= new(StringComparer.Ordinal), wanted.Annotations);

    private static bool WithPairs(Dictionary<string, string> have, Dictionary<string, string>? want)
    {
        var changed = false;
        foreach (var (key, value) in want ?? [])
        {
            changed |= have.TryAdd(key, value);
        }

        return changed;
    }
}
