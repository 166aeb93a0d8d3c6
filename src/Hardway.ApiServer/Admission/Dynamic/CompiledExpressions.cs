using System.Collections.Concurrent;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Cel;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>Expressions compiled once; what cannot be compiled is an error of the policy that has it. Bounded, safe for all threads.</summary>
internal sealed class CompiledExpressions
{
    private const int Most = 4096;
    private readonly ConcurrentDictionary<string, CelProgram> _programs = new(StringComparer.Ordinal);

    public object? Evaluate(string expression, IReadOnlyDictionary<string, object?> variables, CelBudget budget)
    {
        if (!_programs.TryGetValue(expression, out var program))
        {
            try
            {
                program = AdmissionVariables.Environment.Compile(expression);
            }
            catch (CelSyntaxException e)
            {
                throw new CelException("compilation failed: " + e.Message, e);
            }

            if (_programs.Count < Most)
            {
                _programs[expression] = program;
            }
        }

        return program.Evaluate(variables, budget);
    }

    /// <summary>All conditions hold; one that does not decides whatever errors the others have. An error alone is thrown.</summary>
    public bool AllHold(List<MatchCondition>? conditions, IReadOnlyDictionary<string, object?> variables, CelBudget budget)
    {
        CelException? error = null;
        foreach (var condition in conditions ?? [])
        {
            try
            {
                if (Evaluate(condition.Expression, variables, budget) is not true)
                {
                    return false;
                }
            }
            catch (CelException e)
            {
                error ??= new CelException($"match condition '{condition.Name}': {e.Message}", e);
            }
        }

        return error is null ? true : throw error;
    }
}
