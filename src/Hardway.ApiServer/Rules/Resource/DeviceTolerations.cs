using Hardway.Api.Resource.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Resource;

/// <summary>Tolerations and taints of devices (KEP-5055).</summary>
internal static class DeviceTolerations
{
    private const int MostTolerations = 16;

    public static void Check(List<DeviceToleration>? tolerations, FieldPath path, ErrorList errors)
    {
        if (tolerations?.Count > MostTolerations)
        {
            errors.TooMany(path, tolerations.Count, MostTolerations);
        }

        for (var i = 0; i < tolerations?.Count; i++)
        {
            Check(tolerations[i], path.Index(i), errors);
        }
    }

    public static void CheckTaint(DeviceTaint taint, FieldPath path, ErrorList errors)
    {
        if (taint.Key.Length == 0)
        {
            errors.Required(path.Child("key"));
        }
        else
        {
            Names.CheckLabelKey(errors, path.Child("key"), taint.Key);
        }

        Names.CheckLabelValue(errors, path.Child("value"), taint.Value);
        if (taint.Effect.Length == 0)
        {
            errors.Required(path.Child("effect"));
        }
        else
        {
            Effect(taint.Effect, path, errors);
        }
    }

    private static void Check(DeviceToleration toleration, FieldPath path, ErrorList errors)
    {
        if (toleration.Key.Length > 0)
        {
            Names.CheckLabelKey(errors, path.Child("key"), toleration.Key);
        }

        switch (toleration.Operator)
        {
            case "Exists" when toleration.Value.Length > 0:
                errors.Invalid(path.Child("value"), toleration.Value, "must be empty when the operator is Exists");
                break;
            case "Equal":
                Names.CheckLabelValue(errors, path.Child("value"), toleration.Value);
                break;
            case "Exists":
                break;
            default:
                errors.NotSupported(path.Child("operator"), toleration.Operator, "Equal", "Exists");
                break;
        }

        if (toleration.Key.Length == 0 && toleration.Operator != "Exists")
        {
            errors.Required(path.Child("key"), "only Exists needs no key");
        }

        if (toleration.Effect.Length > 0)
        {
            Effect(toleration.Effect, path, errors);
        }
    }

    private static void Effect(string effect, FieldPath path, ErrorList errors)
    {
        if (effect is not ("NoExecute" or "NoSchedule" or "None"))
        {
            errors.NotSupported(path.Child("effect"), effect, "NoExecute", "NoSchedule", "None");
        }
    }
}
