using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Plugins.Quota;

/// <summary>Counts up a quota: reads its newest state, changes a copy's status and writes it if nobody was faster, else again.</summary>
internal interface IQuotaStore
{
    Task UpdateStatusAsync(string @namespace, string name, Func<ResourceQuota, ResourceQuota?> change, CancellationToken cancellationToken);
}

/// <summary>
/// No namespace takes more than its quotas allow. The last to be asked: what a new object takes is written into each quota's status before
/// the object is made, so that many servers together cannot go beyond; what comes of refused or failed writes and deletions the quota
/// controller sets right.
/// </summary>
internal sealed class ResourceQuotaPlugin(IResourceReader reader, Func<IQuotaStore> store) : AdmissionPlugin
{
    private static readonly string[] s_compute = ["cpu", "memory", "ephemeral-storage"];

    public override string Name => "ResourceQuota";

    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes.Namespace.Length == 0 || attributes.Object is null || !IsCounted(attributes))
        {
            return;
        }

        var quotas = reader.List<ResourceQuota>(attributes.Namespace);
        if (quotas.Count == 0)
        {
            return;
        }

        var delta = Delta(attributes);
        foreach (var quota in quotas)
        {
            await CheckAsync(attributes, quota, delta, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>New objects; of updates those that can take more.</summary>
    private static bool IsCounted(AdmissionAttributes attributes) => attributes.Operation == AdmissionOperation.Create
        ? attributes.Subresource.Length == 0
        : attributes.Object is Pod && attributes.Subresource == "resize" || attributes.Object is Service or PersistentVolumeClaim && attributes.Subresource.Length == 0;

    private static Dictionary<string, Quantity> Delta(AdmissionAttributes attributes)
    {
        var delta = QuotaUsage.Of(attributes.Group, attributes.Resource, attributes.Object);
        if (attributes.Operation == AdmissionOperation.Update)
        {
            foreach (var (name, value) in QuotaUsage.Of(attributes.Group, attributes.Resource, attributes.OldObject))
            {
                delta[name] = (delta.TryGetValue(name, out var now) ? now : Quantity.Zero) - value;
            }
        }

        return delta;
    }

    private async ValueTask CheckAsync(AdmissionAttributes attributes, ResourceQuota quota, Dictionary<string, Quantity> delta, CancellationToken cancellationToken)
    {
        if (!QuotaScopes.Match(quota, attributes.Object!))
        {
            return;
        }

        var limited = quota.Status.Hard ?? [];
        if (attributes is { Operation: AdmissionOperation.Create, Object: Pod pod })
        {
            RequireNumbers(attributes, quota, limited, pod);
        }

        var taken = delta.Where(d => limited.ContainsKey(d.Key) && !d.Value.IsZero).ToList();
        if (taken.Count == 0)
        {
            return;
        }

        Apply(attributes, quota.Clone(), taken);
        if (!attributes.DryRun && taken.Any(t => t.Value.Sign > 0))
        {
            await store().UpdateStatusAsync(quota.Metadata.Namespace, quota.Metadata.Name, current => Apply(attributes, current, taken), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Adds to the status what is taken; throws where that is too much.</summary>
    private static ResourceQuota Apply(AdmissionAttributes attributes, ResourceQuota quota, List<KeyValuePair<string, Quantity>> taken)
    {
        var hard = quota.Status.Hard ?? [];
        var used = quota.Status.Used ??= new(StringComparer.Ordinal);
        var unknown = taken.Select(t => t.Key).Where(k => hard.ContainsKey(k) && !used.ContainsKey(k)).Order(StringComparer.Ordinal).ToList();
        if (unknown.Count > 0)
        {
            throw Refuse(attributes, $"status unknown for quota: {quota.Metadata.Name}, resources: {string.Join(",", unknown)}");
        }

        var over = taken.Where(t => t.Value.Sign > 0 && hard.TryGetValue(t.Key, out var most) && used[t.Key] + t.Value > most).Select(t => t.Key).Order(StringComparer.Ordinal).ToList();
        if (over.Count > 0)
        {
            var requested = taken.ToDictionary(t => t.Key, t => t.Value, StringComparer.Ordinal);
            throw Refuse(attributes, $"exceeded quota: {quota.Metadata.Name}, requested: {Show(requested, over)}, used: {Show(used, over)}, limited: {Show(hard, over)}");
        }

        foreach (var (name, value) in taken)
        {
            if (used.TryGetValue(name, out var now))
            {
                used[name] = now + value;
            }
        }

        return quota;
    }

    /// <summary>Where a quota limits computing, a Pod has to say what it takes.</summary>
    private static void RequireNumbers(AdmissionAttributes attributes, ResourceQuota quota, Dictionary<string, Quantity> limited, Pod pod)
    {
        var missing = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        foreach (var container in (pod.Spec.Containers ?? []).Concat(pod.Spec.InitContainers ?? []))
        {
            foreach (var name in limited.Keys)
            {
                var (isLimit, resource) = name.StartsWith("limits.", StringComparison.Ordinal) ? (true, name["limits.".Length..])
                    : name.StartsWith("requests.", StringComparison.Ordinal) ? (false, name["requests.".Length..]) : (false, name);
                if (s_compute.Contains(resource)
                    && !((isLimit ? container.Resources.Limits : container.Resources.Requests)?.ContainsKey(resource) ?? false)
                    && !((isLimit ? pod.Spec.Resources?.Limits : pod.Spec.Resources?.Requests)?.ContainsKey(resource) ?? false))
                {
                    (missing.TryGetValue(name, out var names) ? names : missing[name] = new(StringComparer.Ordinal)).Add(container.Name);
                }
            }
        }

        if (missing.Count > 0)
        {
            throw Refuse(attributes, $"failed quota: {quota.Metadata.Name}: must specify {string.Join("; ", missing.Select(m => $"{m.Key} for: {string.Join(",", m.Value)}"))}");
        }
    }

    private static string Show(Dictionary<string, Quantity> values, List<string> names) => string.Join(",", names.Select(n => $"{n}={values[n]}"));

    private static ApiException Refuse(AdmissionAttributes a, string why) => Statuses.Forbidden(a.Group, a.Resource, a.Name, why);
}
