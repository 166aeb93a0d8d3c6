using Hardway.Api.Core.V1;

namespace Hardway.ApiServer.Rules.Storage;

/// <summary>
/// What a claim is filled from has two fields: the older dataSource takes claims and snapshots alone, dataSourceRef (KEP-1495) anything. What is written in
/// the one is seen in the other. References to other namespaces (KEP-3294) are alpha and off: they are dropped.
/// </summary>
internal static class ClaimDataSource
{
    public static void Settle(PersistentVolumeClaimSpec spec)
    {
        if (spec.DataSourceRef?.Namespace is { Length: > 0 })
        {
            spec.DataSourceRef = null;
        }

        if (spec.DataSource is { } source && !IsOldKind(source.ApiGroup, source.Kind))
        {
            spec.DataSource = null;
        }

        if (spec is { DataSource: { } given, DataSourceRef: null })
        {
            spec.DataSourceRef = new TypedObjectReference { ApiGroup = given.ApiGroup, Kind = given.Kind, Name = given.Name };
        }
        else if (spec is { DataSource: null, DataSourceRef: { } reference })
        {
            spec.DataSource = new TypedLocalObjectReference { ApiGroup = reference.ApiGroup, Kind = reference.Kind, Name = reference.Name };
        }
    }

    private static bool IsOldKind(string? group, string kind) => kind switch
    {
        "PersistentVolumeClaim" => string.IsNullOrEmpty(group),
        "VolumeSnapshot" => group == "snapshot.storage.k8s.io",
        _ => false,
    };
}
