namespace Hardway.Client;

/// <summary>The patch formats of the API.</summary>
public enum PatchType { Json, Merge, StrategicMerge, Apply }

internal static class PatchTypes
{
    public static string ContentType(this PatchType type) => type switch
    {
        PatchType.Json => "application/json-patch+json",
        PatchType.Merge => "application/merge-patch+json",
        PatchType.StrategicMerge => "application/strategic-merge-patch+json",
        _ => "application/apply-patch+yaml",
    };
}
