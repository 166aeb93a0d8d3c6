using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What must hold of the fields that the scheduler reads.</summary>
internal static class PodSchedulingValidation
{
    public static void Validate(PodSpec spec, FieldPath path, ErrorList errors)
    {
        Names.CheckLabels(errors, path.Child("nodeSelector"), spec.NodeSelector);
        Tolerations(spec.Tolerations, path.Child("tolerations"), errors);
        Spread(spec.TopologySpreadConstraints, path.Child("topologySpreadConstraints"), errors);
        Gates(spec, path, errors);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < spec.ReadinessGates?.Count; i++)
        {
            Names.CheckLabelKey(errors, path.Child("readinessGates").Index(i).Child("conditionType"), spec.ReadinessGates[i].ConditionType);
        }

        for (var i = 0; i < spec.ResourceClaims?.Count; i++)
        {
            var claim = spec.ResourceClaims[i];
            var at = path.Child("resourceClaims").Index(i);
            if (claim.Name.Length == 0)
            {
                errors.Required(at.Child("name"));
            }
            else if (!seen.Add(claim.Name))
            {
                errors.Duplicate(at.Child("name"), claim.Name);
            }

            if (claim.ResourceClaimName is not null == claim.ResourceClaimTemplateName is not null)
            {
                errors.Invalid(at, "", "exactly one of `resourceClaimName` and `resourceClaimTemplateName` must be specified");
            }
        }

        if (spec.Affinity is { } affinity)
        {
            AffinityValidation.Validate(affinity, path.Child("affinity"), errors);
        }
    }

    public static void Tolerations(List<Toleration>? tolerations, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < tolerations?.Count; i++)
        {
            Toleration(tolerations[i], path.Index(i), errors);
        }
    }

    private static void Toleration(Toleration toleration, FieldPath path, ErrorList errors)
    {
        if (toleration.Key.Length > 0)
        {
            Names.CheckLabelKey(errors, path.Child("key"), toleration.Key);
        }
        else if (toleration.Operator != "Exists")
        {
            errors.Invalid(path.Child("operator"), toleration.Operator, "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
        }

        if (toleration.TolerationSeconds is not null && toleration.Effect != "NoExecute")
        {
            errors.Invalid(path.Child("effect"), toleration.Effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
        }

        switch (toleration.Operator)
        {
            case "" or "Equal":
                Names.CheckLabelValue(errors, path.Child("operator"), toleration.Value);
                break;
            case "Exists" when toleration.Value.Length > 0:
                errors.Invalid(path.Child("operator"), toleration.Value, "value must be empty when `operator` is 'Exists'");
                break;
            case "Exists":
                break;
            default:
                errors.NotSupported(path.Child("operator"), toleration.Operator, "Equal", "Exists");
                break;
        }

        if (toleration.Effect.Length > 0 && toleration.Effect is not ("NoSchedule" or "PreferNoSchedule" or "NoExecute"))
        {
            errors.NotSupported(path.Child("effect"), toleration.Effect, "NoSchedule", "PreferNoSchedule", "NoExecute");
        }
    }

    private static void Spread(List<TopologySpreadConstraint>? constraints, FieldPath path, ErrorList errors)
    {
        var seen = new HashSet<(string, string)>();
        for (var i = 0; i < constraints?.Count; i++)
        {
            var constraint = constraints[i];
            var at = path.Index(i);
            if (constraint.MaxSkew <= 0)
            {
                errors.Invalid(at.Child("maxSkew"), constraint.MaxSkew, "must be greater than zero");
            }

            if (constraint.TopologyKey.Length == 0)
            {
                errors.Required(at.Child("topologyKey"), "can not be empty");
            }
            else
            {
                Names.CheckLabelKey(errors, at.Child("topologyKey"), constraint.TopologyKey);
            }

            if (!seen.Add((constraint.TopologyKey, constraint.WhenUnsatisfiable)))
            {
                errors.Duplicate(at.Child("{topologyKey, whenUnsatisfiable}"), $"{{{constraint.TopologyKey}, {constraint.WhenUnsatisfiable}}}");
            }

            if (constraint.MinDomains is { } domains)
            {
                if (domains <= 0)
                {
                    errors.Invalid(at.Child("minDomains"), domains, "must be greater than zero");
                }

                if (constraint.WhenUnsatisfiable != "DoNotSchedule")
                {
                    errors.Invalid(at.Child("minDomains"), domains, "can only use minDomains if whenUnsatisfiable=DoNotSchedule");
                }
            }

            SchemaValidation.Enums(constraint, at, errors, "operator");
            WorkloadValidation.LabelSelector(errors, at.Child("labelSelector"), constraint.LabelSelector);
        }
    }

    private static void Gates(PodSpec spec, FieldPath path, ErrorList errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < spec.SchedulingGates?.Count; i++)
        {
            var at = path.Child("schedulingGates").Index(i);
            Names.CheckLabelKey(errors, at, spec.SchedulingGates[i].Name);
            if (!seen.Add(spec.SchedulingGates[i].Name))
            {
                errors.Duplicate(at, spec.SchedulingGates[i].Name);
            }
        }

        if (spec.SchedulingGates is { Count: > 0 } && spec.NodeName.Length > 0)
        {
            errors.Forbidden(path.Child("nodeName"), "cannot be set until all schedulingGates have been cleared");
        }
    }
}
