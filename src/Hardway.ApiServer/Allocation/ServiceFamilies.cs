using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Rules;

namespace Hardway.ApiServer.Allocation;

/// <summary>
/// A Service's IP families, settled before its address is allocated: what was asked for is checked against itself and against the families this cluster
/// has; what was left out is filled in. Steps: 1 addresses and families for themselves, 2 families from addresses, 3 headless Services without selector,
/// 4 what the cluster has.
/// </summary>
internal static class ServiceFamilies
{
    private const string None = "None";
    private static readonly string[] s_families = ["IPv4", "IPv6"];
    private static readonly string[] s_policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];

    public static void Settle(ServiceSpec spec, string own, ErrorList errors)
    {
        Check(spec, errors);
        if (errors.Any) return;
        CheckSingle(spec, errors);
        FromAddresses(spec, own, errors);
        if (errors.Any) return;
        if (spec.ClusterIPs is [None, ..] && spec.Selector is not { Count: > 0 })
        {
            // Its endpoints are someone else's, of whatever family: so this is no matter of what the cluster has.
            spec.IpFamilyPolicy ??= "RequireDualStack";
            spec.IpFamilies = spec.IpFamilies is { Count: > 0 } given ? given : [own];
            if (spec.IpFamilies.Count == 1 && spec.IpFamilyPolicy != "SingleStack") spec.IpFamilies.Add(spec.IpFamilies[0] == "IPv4" ? "IPv6" : "IPv4");
            return;
        }

        if (spec.IpFamilyPolicy == "RequireDualStack") errors.Invalid(FieldPath.Spec.Child("ipFamilyPolicy"), spec.IpFamilyPolicy, "this cluster has no dual-stack Services");
        for (var i = 0; i < spec.IpFamilies?.Count; i++)
        {
            if (spec.IpFamilies[i] != own) errors.Invalid(FieldPath.Spec.Child("ipFamilies").Index(i), spec.IpFamilies[i], "is no family of this cluster");
        }

        spec.IpFamilies = spec.IpFamilies is { Count: > 0 } asked ? asked : [own];
        spec.IpFamilyPolicy ??= "SingleStack";
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

    private static void FromAddresses(ServiceSpec spec, string own, ErrorList errors)
    {
        for (var i = spec.IpFamilies?.Count ?? 0; i < spec.ClusterIPs?.Count && spec.ClusterIPs[i] != None; i++)
        {
            var family = FamilyOf(spec.ClusterIPs[i]);
            if (family == own) (spec.IpFamilies ??= []).Add(family);
            else errors.Invalid(FieldPath.Spec.Child("clusterIPs").Index(i), spec.ClusterIPs[i], $"{family} is not configured on this cluster");
        }
    }

    private static string FamilyOf(string address) => address.Contains(':') ? "IPv6" : "IPv4";
}
