using Hardway.Api.Meta.V1;

namespace Hardway.ControllerManager;

/// <summary>Lists of meta/v1 Conditions.</summary>
internal static class Conditions
{
    public static bool IsTrue(IEnumerable<Condition>? conditions, string type) => (conditions ?? []).Any(c => c.Type == type && c.Status == "True");

    /// <summary>Sets a condition; the transition time moves only with the status.</summary>
    public static void Set(List<Condition> conditions, string type, string status, string reason, string message, DateTimeOffset now, long generation = 0)
    {
        var current = conditions.Find(c => c.Type == type);
        if (current is null) conditions.Add(current = new Condition { Type = type });
        if (current.Status != status) current.LastTransitionTime = now;
        (current.Status, current.Reason, current.Message, current.ObservedGeneration) = (status, reason, message, generation);
    }
}
