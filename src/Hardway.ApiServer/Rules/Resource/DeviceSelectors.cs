using Hardway.Api.Resource.V1;
using Hardway.ApiServer.Errors;
using Hardway.Cel;

namespace Hardway.ApiServer.Rules.Resource;

/// <summary>The CEL expressions that choose devices (KEP-4381): they must compile, and must not answer with something that is no bool.</summary>
internal static class DeviceSelectors
{
    private const int MostSelectors = 32;
    private const int LongestExpression = 10 << 10;
    private const long TryCost = 100_000;
    private static readonly CelEnvironment s_environment = new("device");

    /// <summary>What a constant expression is tried on.</summary>
    private static readonly Dictionary<string, object?> s_sample = new(StringComparer.Ordinal)
    {
        ["device"] = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["driver"] = "",
            ["attributes"] = new Dictionary<string, object?>(StringComparer.Ordinal),
            ["capacity"] = new Dictionary<string, object?>(StringComparer.Ordinal),
            ["allowMultipleAllocations"] = false,
        },
    };

    public static void Check(List<DeviceSelector>? selectors, FieldPath path, ErrorList errors)
    {
        if (selectors?.Count > MostSelectors)
        {
            errors.TooMany(path, selectors.Count, MostSelectors);
        }

        for (var i = 0; i < selectors?.Count; i++)
        {
            var at = path.Index(i).Child("cel");
            if (selectors[i].Cel is not { } cel)
            {
                errors.Required(at);
            }
            else
            {
                CheckExpression(cel.Expression, at.Child("expression"), errors);
            }
        }
    }

    private static void CheckExpression(string expression, FieldPath path, ErrorList errors)
    {
        if (expression.Length > LongestExpression)
        {
            errors.TooLong(path, LongestExpression, "characters");
            return;
        }

        try
        {
            var program = s_environment.Compile(expression);
            if (Try(program) is { } value and not bool)
            {
                errors.Invalid(path, expression, $"must answer with a bool, not {CelValues.TypeOf(value)}");
            }
        }
        catch (CelSyntaxException e)
        {
            errors.Invalid(path, expression, "does not compile: " + e.Message);
        }
    }

    /// <summary>What it answers for a device that has nothing; null where that is an error, as it may well be.</summary>
    private static object? Try(CelProgram program)
    {
        try
        {
            return program.Evaluate(s_sample, new CelBudget(TryCost));
        }
        catch (CelException)
        {
            return null;
        }
    }
}
