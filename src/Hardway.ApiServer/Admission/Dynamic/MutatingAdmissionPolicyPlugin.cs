using Hardway.Api;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Api.Patching;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.Cel;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>Policies in CEL that change objects (KEP-3962): each mutation makes a configuration to apply, or JSON patch operations.</summary>
internal sealed class MutatingAdmissionPolicyPlugin(IResourceReader reader, ResourceScheme scheme, IAuthorizer authorizer) : AdmissionPlugin
{
    private readonly MatchRules _match = new(reader, scheme);
    private readonly PolicyParameters _parameters = new(reader);
    private readonly CompiledExpressions _expressions = new();

    public override string Name => "MutatingAdmissionPolicy";

    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes.Object is null || MatchRules.IsExempt(attributes))
        {
            return;
        }

        var bindings = reader.List<MutatingAdmissionPolicyBinding>();
        if (bindings.Count == 0)
        {
            return;
        }

        var again = attributes.Reinvocation.Of(this);
        if (attributes.Reinvocation.IsSecondRound)
        {
            again.Compare(attributes.Object);
        }

        foreach (var binding in bindings.OrderBy(b => b.Metadata.Name, StringComparer.Ordinal))
        {
            if (reader.Get<MutatingAdmissionPolicy>("", binding.Spec.PolicyName) is { } policy
                && _match.Match(policy.Spec.MatchConstraints, attributes) is { Fits: true } match && _match.Match(binding.Spec.MatchResources, attributes).Fits
                && (!attributes.Reinvocation.IsSecondRound || again.IsDue(binding.Metadata.Name)))
            {
                var shown = await VersionedWrites.ShowAsync(attributes, match.Version, cancellationToken).ConfigureAwait(false);
                if (Changes(policy, binding, shown))
                {
                    await VersionedWrites.TakeBackAsync(attributes, shown, cancellationToken).ConfigureAwait(false);
                    again.Changed();
                    attributes.Reinvocation.Need();
                }

                if (policy.Spec.ReinvocationPolicy == "IfNeeded")
                {
                    again.Asked(binding.Metadata.Name);
                }
            }
        }

        again.Remember(attributes.Object);
    }

    private bool Changes(MutatingAdmissionPolicy policy, MutatingAdmissionPolicyBinding binding, AdmissionAttributes shown)
    {
        var before = shown.Object!.DeepClone();
        Apply(policy, binding, shown);
        return !ApiStruct.DeepEquals(before, shown.Object);
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
