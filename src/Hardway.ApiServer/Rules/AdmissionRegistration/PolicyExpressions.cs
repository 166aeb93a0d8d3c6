using Hardway.Api.AdmissionRegistration.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.Cel;
using Hardway.Cel.Kubernetes;

namespace Hardway.ApiServer.Rules.AdmissionRegistration;

/// <summary>
/// The expressions of a webhook or a policy as they are written: they compile, and have the type that is wanted. The objects themselves are dyn
/// here, as a policy is about many kinds; what is wrong for a kind shows in the policy's status.
/// </summary>
internal sealed class PolicyExpressions
{
    private const int MostConditions = 64;
    private static readonly CelDecl s_object = CelDecl.Opaque("Object");
    private readonly Dictionary<string, CelDecl> _types;
    private readonly Dictionary<string, CelDecl> _variables = new(StringComparer.Ordinal);

    public PolicyExpressions(bool hasParams)
    {
        _types = AdmissionTypes.Variables(CelDecl.Dyn, hasParams ? CelDecl.Dyn : null);
    }

    public void Conditions(List<MatchCondition>? conditions, FieldPath path, ErrorList errors)
    {
        if (conditions?.Count > MostConditions)
        {
            errors.TooMany(path, conditions.Count, MostConditions);
        }

        for (var i = 0; i < (conditions?.Count ?? 0); i++)
        {
            var (condition, at) = (conditions![i], path.Index(i));
            if (condition.Name.Length == 0)
            {
                errors.Required(at.Child("name"));
            }
            else if (ObjectNames.QualifiedName(condition.Name) is { } wrong)
            {
                errors.Invalid(at.Child("name"), condition.Name, wrong);
            }
            else if (conditions.FindIndex(c => c.Name == condition.Name) < i)
            {
                errors.Duplicate(at.Child("name"), condition.Name);
            }

            Check(condition.Expression, at.Child("expression"), errors, CelDecl.Bool);
        }
    }

    /// <summary>Each variable is seen by those after it.</summary>
    public void Variables(List<Variable>? variables, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < (variables?.Count ?? 0); i++)
        {
            var (variable, at) = (variables![i], path.Index(i));
            if (variable.Name.Length == 0)
            {
                errors.Required(at.Child("name"));
            }
            else if (!IsIdentifier(variable.Name))
            {
                errors.Invalid(at.Child("name"), variable.Name, "must be a valid CEL identifier");
            }
            else if (variables.FindIndex(v => v.Name == variable.Name) < i)
            {
                errors.Duplicate(at.Child("name"), variable.Name);
            }

            var type = Check(variable.Expression, at.Child("expression"), errors);
            _variables[variable.Name] = type ?? CelDecl.Dyn;
            _types["variables"] = AdmissionTypes.Composed(_variables);
        }
    }

    /// <summary>The type of an expression; null when there is something wrong with it, which is reported.</summary>
    public CelDecl? Check(string expression, FieldPath path, ErrorList errors, params CelDecl[] wanted)
    {
        if (expression.Trim().Length == 0)
        {
            errors.Required(path, "expression is not specified");
            return null;
        }

        try
        {
            var type = AdmissionTypes.Check(expression, _types).Type;
            if (wanted.Length == 0 || Array.Exists(wanted, w => w.ToString() == type.ToString()))
            {
                return type;
            }

            errors.Invalid(path, expression, $"must evaluate to {string.Join(" or ", (IEnumerable<CelDecl>)wanted)} but got {type}");
        }
        catch (Exception e) when (e is CelSyntaxException or CelTypeException)
        {
            errors.Invalid(path, expression, "compilation failed: " + e.Message);
        }

        return null;
    }

    /// <summary>What an expression is to a mutation: a configuration to apply, or operations on the object.</summary>
    public void Mutation(Mutation mutation, FieldPath path, ErrorList errors)
    {
        switch (mutation.PatchType)
        {
            case "ApplyConfiguration" when mutation.ApplyConfiguration is { } apply:
                Check(apply.Expression, path.Child("applyConfiguration", "expression"), errors, s_object);
                break;
            case "ApplyConfiguration":
                errors.Required(path.Child("applyConfiguration"), "must be specified when patchType is ApplyConfiguration");
                break;
            case "JSONPatch" when mutation.JsonPatch is { } patch:
                Check(patch.Expression, path.Child("jsonPatch", "expression"), errors, CelDecl.List(CelDecl.Opaque("JSONPatch")), CelDecl.List(CelDecl.Dyn));
                break;
            case "JSONPatch":
                errors.Required(path.Child("jsonPatch"), "must be specified when patchType is JSONPatch");
                break;
            case "":
                errors.Required(path.Child("patchType"));
                break;
            default:
                errors.NotSupported(path.Child("patchType"), mutation.PatchType, "ApplyConfiguration", "JSONPatch");
                break;
        }
    }

    private static bool IsIdentifier(string text) => (char.IsAsciiLetter(text[0]) || text[0] == '_') && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
