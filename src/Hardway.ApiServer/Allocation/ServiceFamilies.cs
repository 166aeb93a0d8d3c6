using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Rules;

namespace Hardway.ApiServer.Allocation;

/// <summary>
/// A Service's IP families, settled before its address is allocated: what was asked for is checked against itself and against the families this cluster
/// has; what was left out is filled in. Steps: 0 what an update inherits, 1 addresses and families for themselves, 2 families from addresses, 3 headless Services without selector,
/// 4 what the cluster has.
/// </summary>
internal static class ServiceFamilies
{
    private const string None = "None";
    private static readonly string[] s_families = ["IPv4", "IPv6"];
    private static readonly string[] s_policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];

    /// <param name="spec">What is asked for; its families and policy are filled in.</param>
    /// <param name="old">What an update changes; null of a new Service.</param>
    /// <param name="cluster">The families that this cluster has addresses of, the first being the default.</param>
    /// <param name="errors">What does not fit.</param>
    public static void Settle(ServiceSpec spec, ServiceSpec? old, IReadOnlyList<string> cluster, ErrorList errors)
    {
        if (old is { Type: not "ExternalName" })
        {
            Inherit(spec, old);
            if (IsPreferredAsBefore(spec, old)) return;
            Downgrade(spec, old);
        }

        Check(spec, errors);
        if (errors.Any) return;
        CheckSingle(spec, errors);
        FromAddresses(spec, cluster, errors);
        if (errors.Any) return;
        if (spec.ClusterIPs is [None, ..] && spec.Selector is not { Count: > 0 })
        {
            // Its endpoints are someone else's, of whatever family: so this is no matter of what the cluster has.
            spec.IpFamilyPolicy ??= "RequireDualStack";
            spec.IpFamilies = spec.IpFamilies is { Count: > 0 } given ? given : [cluster[0]];
            if (spec.IpFamilies.Count == 1 && spec.IpFamilyPolicy != "SingleStack") spec.IpFamilies.Add(Other(spec.IpFamilies[0]));
            return;
        }

        if (spec.IpFamilyPolicy == "RequireDualStack" && cluster.Count < 2) errors.Invalid(FieldPath.Spec.Child("ipFamilyPolicy"), spec.IpFamilyPolicy, "this cluster has no dual-stack Services");
        for (var i = 0; i < spec.IpFamilies?.Count; i++)
        {
            if (!cluster.Contains(spec.IpFamilies[i])) errors.Invalid(FieldPath.Spec.Child("ipFamilies").Index(i), spec.IpFamilies[i], "is no family of this cluster");
        }

        spec.IpFamilies = spec.IpFamilies is { Count: > 0 } asked ? asked : [cluster[0]];
        spec.IpFamilyPolicy ??= "SingleStack";
        if (spec.IpFamilyPolicy != "SingleStack" && spec.IpFamilies.Count == 1 && cluster.Count == 2) spec.IpFamilies.Add(Other(spec.IpFamilies[0]));
    }

    public static string FamilyOf(string address) => address.Contains(':', StringComparison.Ordinal) ? "IPv6" : "IPv4";

    private static string Other(string family) => family == "IPv4" ? "IPv6" : "IPv4";

    /// <summary>A client that knows neither field leaves the Service as it is.</summary>
    private static void Inherit(ServiceSpec spec, ServiceSpec old)
    {
        spec.IpFamilyPolicy ??= old.IpFamilyPolicy;
        if (spec.IpFamilies is not { Count: > 0 } && (spec.ClusterIPs ?? []).SequenceEqual(old.ClusterIPs ?? [])) spec.IpFamilies = old.IpFamilies is null ? null : [.. old.IpFamilies];
    }

    /// <summary>A Service that prefers two families does not change with the cluster: only when somebody changes one of its own fields.</summary>
    private static bool IsPreferredAsBefore(ServiceSpec spec, ServiceSpec old) =>
        spec.IpFamilyPolicy == "PreferDualStack" && old.IpFamilyPolicy == "PreferDualStack"
        && spec.IpFamilies is { Count: > 0 } && spec.IpFamilies.SequenceEqual(old.IpFamilies ?? [])
        && spec.ClusterIPs is { Count: > 0 } && spec.ClusterIPs.SequenceEqual(old.ClusterIPs ?? []);

    /// <summary>To give up the second family it is enough to set the policy.</summary>
    private static void Downgrade(ServiceSpec spec, ServiceSpec old)
    {
        if (spec.IpFamilyPolicy != "SingleStack" || old.IpFamilyPolicy == "SingleStack") return;
        if (spec.ClusterIPs is { Count: > 1 } && spec.ClusterIPs.SequenceEqual(old.ClusterIPs ?? [])) spec.ClusterIPs = [spec.ClusterIPs[0]];
        if (spec.IpFamilies is { Count: > 1 } && spec.IpFamilies.SequenceEqual(old.IpFamilies ?? [])) spec.IpFamilies = [spec.IpFamilies[0]];
    }

    private static void Check(ServiceSpec spec, ErrorList errors)
    {
        var path = FieldPath.Spec.Child("clusterIPs");
        var given = spec.ClusterIPs ?? [];
        if (given.Count > 0 && spec.ClusterIP.Length == 0) errors.Invalid(path, string.Join(",", given), "must be empty when `clusterIP` is not specified");
        else if (given.Count > 0 && given[0] != spec.ClusterIP) errors.Invalid(path, string.Join(",", given), "first value must match `clusterIP`");

        for (var i = 0; i < spec.IpFamilies?.Count; i++)
        {
            var at = FieldPath.Spec.Child("ipFamilies").Index(i);
            if (!s_families.Contains(spec.IpFamilies[i])) errors.NotSupported(at, spec.IpFamilies[i], s_families);
            if (spec.IpFamilies.IndexOf(spec.IpFamilies[i]) < i) errors.Duplicate(at, spec.IpFamilies[i]);
        }

        if (spec.IpFamilyPolicy is { } policy && !s_policies.Contains(policy)) errors.NotSupported(FieldPath.Spec.Child("ipFamilyPolicy"), policy, s_policies);
        Addresses(given, spec, path, errors);
    }

    private static void Addresses(List<string> given, ServiceSpec spec, FieldPath path, ErrorList errors)
    {
        var bad = false;
        for (var i = 0; i < given.Count; i++)
        {
            if (i == 0 && given[0] == None)
            {
                if (given.Count > 1) errors.Invalid(path, string.Join(",", given), "'None' must be the first and only value");
                bad |= given.Count > 1;
            }
            else
            {
                bad |= !IpForms.Check(errors, path.Index(i), given[i]);
            }
        }

        if (given.Count > 2) errors.Invalid(path, string.Join(",", given), "may only hold up to 2 values");
        if (bad || given is [] or [None]) return;
        if (given.Count > 1 && given.Select(FamilyOf).Distinct().Count() < 2) errors.Invalid(path, string.Join(",", given), "may specify no more than one IP for each IP family");
        for (var i = 0; i < given.Count && i < spec.IpFamilies?.Count; i++)
        {
            if (FamilyOf(given[i]) != spec.IpFamilies[i]) errors.Invalid(path.Index(i), given[i], $"expected an {spec.IpFamilies[i]} value as indicated by `ipFamilies[{i}]`");
        }
    }

    private static void CheckSingle(ServiceSpec spec, ErrorList errors)
    {
        if ((spec.IpFamilyPolicy ?? "SingleStack") != "SingleStack") return;
        foreach (var (name, count) in new[] { ("clusterIPs", spec.ClusterIPs?.Count), ("ipFamilies", spec.IpFamilies?.Count) })
        {
            if (count == 2) errors.Invalid(FieldPath.Spec.Child("ipFamilyPolicy"), spec.IpFamilyPolicy, $"must be RequireDualStack or PreferDualStack when multiple `{name}` are specified");
        }
    }

    private static void FromAddresses(ServiceSpec spec, IReadOnlyList<string> cluster, ErrorList errors)
    {
        for (var i = spec.IpFamilies?.Count ?? 0; i < spec.ClusterIPs?.Count && spec.ClusterIPs[i] != None; i++)
        {
            var family = FamilyOf(spec.ClusterIPs[i]);
            if (cluster.Contains(family)) (spec.IpFamilies ??= []).Add(family);
            else errors.Invalid(FieldPath.Spec.Child("clusterIPs").Index(i), spec.ClusterIPs[i], $"{family} is not configured on this cluster");
        }
    }
}
