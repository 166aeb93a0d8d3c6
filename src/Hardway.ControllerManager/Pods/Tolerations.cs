using Hardway.Api.Core.V1;

namespace Hardway.ControllerManager;

/// <summary>Which taints a Pod bears.</summary>
internal static class Tolerations
{
    public static bool Tolerates(Toleration toleration, Taint taint)
    {
        if (toleration.Effect.Length > 0 && toleration.Effect != taint.Effect) return false;
        if (toleration.Key.Length > 0 && toleration.Key != taint.Key) return false;
        return toleration.Operator switch
        {
            "Exists" => true,
            "Equal" or "" => toleration.Key.Length > 0 && toleration.Value == taint.Value,
            _ => false,
        };
    }

    public static bool Tolerates(IEnumerable<Toleration>? tolerations, Taint taint) => (tolerations ?? []).Any(t => Tolerates(t, taint));
}
