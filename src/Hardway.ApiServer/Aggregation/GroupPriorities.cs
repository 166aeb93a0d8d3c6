namespace Hardway.ApiServer.Aggregation;

/// <summary>The places of the built-in groups and their versions in discovery: larger comes first. Upstream's numbers, as APIServices show them.</summary>
internal static class GroupPriorities
{
    public const int Custom = 1000;
    public const int CustomVersion = 100;

    private static readonly Dictionary<string, int> s_groups = new(StringComparer.Ordinal)
    {
        [""] = 18000,
        ["apps"] = 17800,
        ["events.k8s.io"] = 17750,
        ["authentication.k8s.io"] = 17700,
        ["authorization.k8s.io"] = 17600,
        ["autoscaling"] = 17500,
        ["batch"] = 17400,
        ["certificates.k8s.io"] = 17300,
        ["networking.k8s.io"] = 17200,
        ["policy"] = 17100,
        ["rbac.authorization.k8s.io"] = 17000,
        ["storage.k8s.io"] = 16800,
        ["apiextensions.k8s.io"] = 16700,
        ["admissionregistration.k8s.io"] = 16700,
        ["scheduling.k8s.io"] = 16600,
        ["coordination.k8s.io"] = 16500,
        ["node.k8s.io"] = 16300,
        ["discovery.k8s.io"] = 16200,
        ["flowcontrol.apiserver.k8s.io"] = 16100,
        ["internal.apiserver.k8s.io"] = 16000,
        ["resource.k8s.io"] = 15900,
        ["storagemigration.k8s.io"] = 15800,
    };

    public static (int Group, int Version) Of(string group, string version) =>
        (s_groups.GetValueOrDefault(group, 15000), (group, version) switch
        {
            ("", _) => 1,
            ("autoscaling", "v2") => 30,
            ("flowcontrol.apiserver.k8s.io", "v1") => 21,
            ("resource.k8s.io", "v1") => 20,
            _ when version.Contains("alpha", StringComparison.Ordinal) => 1,
            _ when version.Contains("beta", StringComparison.Ordinal) => 9,
            _ => 15,
        });
}
