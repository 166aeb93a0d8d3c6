using System.Globalization;
using Hardway.Api.Core.V1;

namespace Hardway.Scheduler.Plugins.TaintToleration;

/// <summary>When a toleration covers a taint. Pure.</summary>
internal static class Tolerations
{
    public static bool Tolerate(List<Toleration>? tolerations, Taint taint)
    {
        if (tolerations is null)
        {
            return false;
        }

        foreach (var toleration in tolerations)
        {
            if (Tolerates(toleration, taint))
            {
                return true;
            }
        }

        return false;
    }

    public static bool TolerateAll(List<Toleration>? tolerations, Taint[] taints)
    {
        foreach (var taint in taints)
        {
            if (!Tolerate(tolerations, taint))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Tolerates(Toleration toleration, Taint taint)
    {
        if ((toleration.Effect.Length > 0 && toleration.Effect != taint.Effect) || (toleration.Key.Length > 0 && toleration.Key != taint.Key))
        {
            return false;
        }

        return toleration.Operator switch
        {
            "" or "Equal" => toleration.Key.Length > 0 && toleration.Value == taint.Value,
            "Exists" => true,
            "Gt" => Numbers(toleration, taint, out var limit, out var value) && value > limit,
            "Lt" => Numbers(toleration, taint, out var limit, out var value) && value < limit,
            _ => false,
        };
    }

    private static bool Numbers(Toleration toleration, Taint taint, out long limit, out long value)
    {
        value = 0;
        return long.TryParse(toleration.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out limit)
            && long.TryParse(taint.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
    }
}
