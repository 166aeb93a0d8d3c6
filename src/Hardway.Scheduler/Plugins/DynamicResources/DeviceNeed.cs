using Hardway.Api.Resource.V1;
using Hardway.Scheduler.State;

namespace Hardway.Scheduler.Plugins.DynamicResources;

/// <summary>One way to satisfy a request: so many devices of a class that all selectors select.</summary>
internal sealed record DeviceNeed(string Name, string ClassName, List<DeviceSelector> Selectors, bool All, long Count, bool AdminAccess, List<DeviceToleration>? Tolerations)
{
    /// <summary>The ways in the order of preference; those whose class does not exist are left out.</summary>
    public static IEnumerable<DeviceNeed> Of(DeviceRequest request, IClusterListers listers)
    {
        if (request.Exactly is { } exactly)
        {
            return Make(request.Name, exactly.DeviceClassName, exactly.Selectors, exactly.AllocationMode, exactly.Count, exactly.AdminAccess == true, exactly.Tolerations, listers);
        }

        return (request.FirstAvailable ?? []).SelectMany(s =>
            Make($"{request.Name}/{s.Name}", s.DeviceClassName, s.Selectors, s.AllocationMode, s.Count, false, s.Tolerations, listers));
    }

    /// <summary>Taints of the device keep Pods away, except those whose effect is None.</summary>
    public bool Tolerates(Device device) => (device.Taints ?? []).TrueForAll(t => t.Effect == "None" || (Tolerations ?? []).Exists(o => Covers(o, t)));

    private static bool Covers(DeviceToleration toleration, DeviceTaint taint) =>
        (toleration.Effect.Length == 0 || toleration.Effect == taint.Effect)
        && (toleration.Key.Length == 0 ? toleration.Operator == "Exists" : toleration.Key == taint.Key)
        && (toleration.Operator == "Exists" || toleration.Value == taint.Value);

    private static IEnumerable<DeviceNeed> Make(
        string name, string className, List<DeviceSelector>? selectors, string mode, long count, bool admin, List<DeviceToleration>? tolerations, IClusterListers listers)
    {
        if (listers.DeviceClass(className) is { } @class)
        {
            yield return new DeviceNeed(name, className, [.. @class.Spec.Selectors ?? [], .. selectors ?? []], mode == "All", Math.Max(1, count), admin, tolerations);
        }
    }
}
