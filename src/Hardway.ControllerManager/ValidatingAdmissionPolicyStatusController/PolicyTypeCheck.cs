using Hardway.Api;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Cel;
using Hardway.Cel.Kubernetes;

namespace Hardway.ControllerManager;

/// <summary>Checks a policy's expressions against the kinds that its rules name. Rules with a star name no kind; of built-in kinds the types are known.</summary>
internal static class PolicyTypeCheck
{
    private const int MostKinds = 10;

    public static List<ExpressionWarning> Warnings(ValidatingAdmissionPolicy policy)
    {
        var kinds = Kinds(policy.Spec.MatchConstraints).Take(MostKinds).ToList();
        var warnings = new List<ExpressionWarning>();
        foreach (var (path, expression) in Expressions(policy.Spec))
        {
            var faults = kinds.Select(k => (Kind: k, Fault: Fault(policy.Spec, path, expression, k))).Where(f => f.Fault is not null).ToList();
            if (faults.Count > 0)
            {
                warnings.Add(new ExpressionWarning { FieldRef = path, Warning = string.Join("\n", faults.Select(f => $"{f.Kind.ApiVersion}, Kind={f.Kind.Kind}: {f.Fault}")) });
            }
        }
        return warnings;
    }

    private static IEnumerable<ResourceInfo> Kinds(MatchResources? match)
    {
        foreach (var rule in match?.ResourceRules ?? [])
        {
            foreach (var (group, version, resource) in from g in rule.ApiGroups ?? [] from v in rule.ApiVersions ?? [] from r in rule.Resources ?? [] select (g, v, r))
            {
                if (ApiCatalog.Resources.FirstOrDefault(i => i.Group == group && i.Version == version && i.Plural == resource) is { } info) yield return info;
            }
        }
    }

    private static IEnumerable<(string Path, string Expression)> Expressions(ValidatingAdmissionPolicySpec spec)
    {
        for (var i = 0; i < (spec.Validations?.Count ?? 0); i++)
        {
            yield return ($"spec.validations[{i}].expression", spec.Validations![i].Expression);
            if (spec.Validations[i].MessageExpression.Length > 0) yield return ($"spec.validations[{i}].messageExpression", spec.Validations[i].MessageExpression);
        }
        for (var i = 0; i < (spec.MatchConditions?.Count ?? 0); i++) yield return ($"spec.matchConditions[{i}].expression", spec.MatchConditions![i].Expression);
        for (var i = 0; i < (spec.AuditAnnotations?.Count ?? 0); i++) yield return ($"spec.auditAnnotations[{i}].valueExpression", spec.AuditAnnotations![i].ValueExpression);
        for (var i = 0; i < (spec.Variables?.Count ?? 0); i++) yield return ($"spec.variables[{i}].expression", spec.Variables![i].Expression);
    }

    private static string? Fault(ValidatingAdmissionPolicySpec spec, string path, string expression, ResourceInfo kind)
    {
        var parameters = spec.ParamKind is { } wanted ? ParamType(wanted) : null;
        var types = AdmissionTypes.Variables(ApiTypes.Of(kind.Type), parameters);
        AddVariables(spec, path, types);
        try
        {
            AdmissionTypes.Check(expression, types);
            return null;
        }
        catch (Exception e) when (e is CelSyntaxException or CelTypeException)
        {
            return e.Message;
        }
    }

    /// <summary>A variable sees those before it; one that is wrong itself is dyn to the others, as its own warning says enough. Conditions see none.</summary>
    private static void AddVariables(ValidatingAdmissionPolicySpec spec, string path, Dictionary<string, CelDecl> types)
    {
        if (path.StartsWith("spec.matchConditions", StringComparison.Ordinal)) return;
        var known = new Dictionary<string, CelDecl>(StringComparer.Ordinal);
        for (var i = 0; i < (spec.Variables?.Count ?? 0) && path != $"spec.variables[{i}].expression"; i++)
        {
            CelDecl type;
            try
            {
                type = AdmissionTypes.Check(spec.Variables![i].Expression, types).Type;
            }
            catch (Exception e) when (e is CelSyntaxException or CelTypeException)
            {
                type = CelDecl.Dyn;
            }
            known[spec.Variables![i].Name] = type;
            types["variables"] = AdmissionTypes.Composed(known);
        }
    }

    private static CelDecl ParamType(ParamKind wanted)
    {
        var slash = wanted.ApiVersion.IndexOf('/', StringComparison.Ordinal);
        var (group, version) = slash < 0 ? ("", wanted.ApiVersion) : (wanted.ApiVersion[..slash], wanted.ApiVersion[(slash + 1)..]);
        return ApiCatalog.FindKind(group, version, wanted.Kind) is { } info ? ApiTypes.Of(info.Type) : CelDecl.Dyn;
    }
}
