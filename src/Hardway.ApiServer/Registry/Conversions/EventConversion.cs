namespace Hardway.ApiServer.Registry.Conversions;

/// <summary>The core group's Event and that of events.k8s.io: one object, some fields under other names.</summary>
internal static class EventConversion
{
    private static readonly (string Core, string Events)[] s_names =
    [
        ("involvedObject", "regarding"), ("message", "note"), ("source", "deprecatedSource"), ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"), ("reportingComponent", "reportingController"),
    ];

    public static void FromCore(Dictionary<string, object?> tree)
    {
        foreach (var (core, events) in s_names)
        {
            tree.Move(core, tree, events);
        }
    }

    public static void ToCore(Dictionary<string, object?> tree)
    {
        foreach (var (core, events) in s_names)
        {
            tree.Move(events, tree, core);
        }
    }
}
