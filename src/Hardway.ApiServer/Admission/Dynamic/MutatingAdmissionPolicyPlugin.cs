using Hardway.Api;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Api.Patching;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.Cel;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>Policies in CEL that change objects (KEP-3962): each mutation makes a configuration to apply, or JSON patch operations.</summary>
internal sealed class MutatingAdmissionPolicyPlugin(IResourceReader reader, IAuthorizer authorizer) : AdmissionPlugin
{
    private readonly MatchRules _match = new(reader);
    private readonly PolicyParameters _parameters = new(reader);
    private readonly CompiledExpressions _expressions = new();

    public override string Name => "MutatingAdmissionPolicy";

    public override ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes.Object is null || MatchRules.IsExempt(attributes))
        {
            return ValueTask.CompletedTask;
        }

        var applied = new List<(MutatingAdmissionPolicy Policy, MutatingAdmissionPolicyBinding Binding)>();
        var lastChange = -1;
        foreach (var binding in reader.List<MutatingAdmissionPolicyBinding>().OrderBy(b => b.Metadata.Name, StringComparer.Ordinal))
        {
            if (reader.Get<MutatingAdmissionPolicy>("", binding.Spec.PolicyName) is { } policy
                && _match.Fits(policy.Spec.MatchConstraints, attributes) && _match.Fits(binding.Spec.MatchResources, attributes))
            {
                var before = attributes.Object.DeepClone();
                Apply(policy, binding, attributes);
                lastChange = ApiStruct.DeepEquals(before, attributes.Object) ? lastChange : applied.Count;
                applied.Add((policy, binding));
            }
        }

        // Who asks for it sees once more what those after it made.
        foreach (var (policy, binding) in applied.Take(Math.Max(lastChange, 0)).Where(a => a.Policy.Spec.ReinvocationPolicy == "IfNeeded"))
        {
            Apply(policy, binding, attributes);
        }

        return ValueTask.CompletedTask;
    }

    private void Apply(MutatingAdmissionPolicy policy, MutatingAdmissionPolicyBinding binding, AdmissionAttributes attributes)
    {
        var budget = new CelBudget(AdmissionVariables.Budget);
        try
        {
            foreach (var parameters in _parameters.Find(policy.Spec.ParamKind, binding.Spec.ParamRef, attributes))
            {
                foreach (var mutation in policy.Spec.Mutations ?? [])
                {
                    // Each sees what the one before it made.
                    var variables = AdmissionVariables.Of(attributes, authorizer, _match.NamespaceOf(attributes));
                    variables["params"] = parameters;
                    variables["variables"] = new PolicyVariables((policy.Spec.Variables ?? []).Select(v => (v.Name, v.Expression)), expression => _expressions.Evaluate(expression, variables, budget));
                    if (!_expressions.AllHold(policy.Spec.MatchConditions, variables, budget))
                    {
                        return;
                    }

                    InPlace.Replace(attributes.Object!, Mutated(mutation, attributes, variables, budget));
                }
            }
        }
        catch (Exception e) when (e is CelException or PatchException or ApiDecodeException)
        {
            if (policy.Spec.FailurePolicy != "Ignore")
            {
                throw Statuses.Forbidden(attributes.Group, attributes.Resource, attributes.Name, $"policy '{policy.Metadata.Name}' with binding '{binding.Metadata.Name}' denied request: {e.Message}");
            }
        }
    }

    private ApiStruct Mutated(Mutation mutation, AdmissionAttributes attributes, Dictionary<string, object?> variables, CelBudget budget)
    {
        var schema = attributes.Object!.StructSchema;
        var tree = ApiJson.ToTree(attributes.Object);
        switch (mutation.PatchType)
        {
            case "ApplyConfiguration":
                var patch = _expressions.Evaluate(mutation.ApplyConfiguration?.Expression ?? "", variables, budget) as Dictionary<string, object?> ?? throw new CelException("must evaluate to Object");
                // Custom objects have no strategic merge.
                return ApiJson.FromTree(schema, attributes.Object.Rest is null ? StrategicMergePatch.Apply(schema, tree, patch) : MergePatch.Apply(tree, patch));
            case "JSONPatch":
                var operations = _expressions.Evaluate(mutation.JsonPatch?.Expression ?? "", variables, budget) as List<object?> ?? throw new CelException("must evaluate to a list of JSONPatch");
                return ApiJson.FromTree(schema, JsonPatch.Apply(tree, operations));
            default:
                throw new CelException($"unsupported patch type {mutation.PatchType}");
        }
    }
}

/// <summary>Puts one object's fields into another of the same type, which others hold already.</summary>
internal static class InPlace
{
    public static void Replace(ApiStruct target, ApiStruct source)
    {
        foreach (var field in target.StructSchema.Fields)
        {
            target.Set(field.Ordinal, source.Get(field.Ordinal));
        }

        if (target.Rest is { } rest)
        {
            rest.Clear();
            foreach (var (key, item) in source.Rest!)
            {
                rest[key] = item;
            }
        }
    }
}
