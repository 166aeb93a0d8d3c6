using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What must hold of affinities.</summary>
internal static class AffinityValidation
{
    private static readonly string[] s_operators = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];

    public static void Validate(Affinity affinity, FieldPath path, ErrorList errors)
    {
        if (affinity.NodeAffinity is { } node)
        {
            Node(node, path.Child("nodeAffinity"), errors);
        }

        if (affinity.PodAffinity is { } pod)
        {
            Terms(pod.RequiredDuringSchedulingIgnoredDuringExecution, pod.PreferredDuringSchedulingIgnoredDuringExecution, path.Child("podAffinity"), errors);
        }

        if (affinity.PodAntiAffinity is { } anti)
        {
            Terms(anti.RequiredDuringSchedulingIgnoredDuringExecution, anti.PreferredDuringSchedulingIgnoredDuringExecution, path.Child("podAntiAffinity"), errors);
        }
    }

    public static void NodeSelector(NodeSelector selector, FieldPath path, ErrorList errors)
    {
        if (selector.NodeSelectorTerms is not { Count: > 0 })
        {
            errors.Required(path.Child("nodeSelectorTerms"), "must have at least one node selector term");
        }

        for (var i = 0; i < selector.NodeSelectorTerms?.Count; i++)
        {
            Term(selector.NodeSelectorTerms[i], path.Child("nodeSelectorTerms").Index(i), errors);
        }
    }

    private static void Node(NodeAffinity node, FieldPath path, ErrorList errors)
    {
        if (node.RequiredDuringSchedulingIgnoredDuringExecution is { } required)
        {
            NodeSelector(required, path.Child("requiredDuringSchedulingIgnoredDuringExecution"), errors);
        }

        for (var i = 0; i < node.PreferredDuringSchedulingIgnoredDuringExecution?.Count; i++)
        {
            var at = path.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i);
            Weight(errors, at, node.PreferredDuringSchedulingIgnoredDuringExecution[i].Weight);
            Term(node.PreferredDuringSchedulingIgnoredDuringExecution[i].Preference, at.Child("preference"), errors);
        }
    }

    private static void Term(NodeSelectorTerm term, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < term.MatchExpressions?.Count; i++)
        {
            var at = path.Child("matchExpressions").Index(i);
            Requirement(term.MatchExpressions[i], at, errors);
            Names.CheckLabelKey(errors, at.Child("key"), term.MatchExpressions[i].Key);
        }

        for (var i = 0; i < term.MatchFields?.Count; i++)
        {
            var field = term.MatchFields[i];
            var at = path.Child("matchFields").Index(i);
            if (field.Operator is "In" or "NotIn")
            {
                if (field.Values?.Count != 1)
                {
                    errors.Required(at.Child("values"), "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
                }
            }
            else
            {
                errors.Invalid(at.Child("operator"), field.Operator, "is no operator for a field: In, NotIn");
            }

            if (field.Key != "metadata.name")
            {
                errors.Invalid(at.Child("key"), field.Key, "is no field that nodes can be selected by: metadata.name");
            }
        }
    }

    private static void Requirement(NodeSelectorRequirement requirement, FieldPath path, ErrorList errors)
    {
        switch (requirement.Operator)
        {
            case "In" or "NotIn" when requirement.Values is not { Count: > 0 }:
                errors.Required(path.Child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
                break;
            case "Exists" or "DoesNotExist" when requirement.Values is { Count: > 0 }:
                errors.Forbidden(path.Child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
                break;
            case "Gt" or "Lt" when requirement.Values?.Count != 1:
                errors.Required(path.Child("values"), "must be specified single value when `operator` is 'Lt' or 'Gt'");
                break;
            default:
                if (!s_operators.Contains(requirement.Operator))
                {
                    errors.Invalid(path.Child("operator"), requirement.Operator, "is no selector operator");
                }

                break;
        }
    }

    private static void Terms(List<PodAffinityTerm>? required, List<WeightedPodAffinityTerm>? preferred, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < required?.Count; i++)
        {
            Term(required[i], path.Child("requiredDuringSchedulingIgnoredDuringExecution").Index(i), errors);
        }

        for (var i = 0; i < preferred?.Count; i++)
        {
            var at = path.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i);
            Weight(errors, at, preferred[i].Weight);
            Term(preferred[i].PodAffinityTerm, at.Child("podAffinityTerm"), errors);
        }
    }

    private static void Term(PodAffinityTerm term, FieldPath path, ErrorList errors)
    {
        WorkloadValidation.LabelSelector(errors, path.Child("labelSelector"), term.LabelSelector);
        WorkloadValidation.LabelSelector(errors, path.Child("namespaceSelector"), term.NamespaceSelector);
        for (var i = 0; i < term.Namespaces?.Count; i++)
        {
            if (!Names.IsDnsLabel(term.Namespaces[i]))
            {
                errors.Invalid(path.Child("namespace"), term.Namespaces[i], "is no name of a namespace");
            }
        }

        if (term.TopologyKey.Length == 0)
        {
            errors.Required(path.Child("topologyKey"), "can not be empty");
        }
        else
        {
            Names.CheckLabelKey(errors, path.Child("topologyKey"), term.TopologyKey);
        }
    }

    private static void Weight(ErrorList errors, FieldPath path, int weight)
    {
        if (weight is < 1 or > 100)
        {
            errors.Invalid(path.Child("weight"), weight, "must be in the range 1-100");
        }
    }
}
