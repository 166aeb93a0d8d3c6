using Hardway.Cel;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>variables.NAME in a policy: each expression is evaluated when it is first asked for, and once.</summary>
internal sealed class PolicyVariables : ICelObject
{
    private readonly Dictionary<string, CelLazy> _all = new(StringComparer.Ordinal);

    public PolicyVariables(IEnumerable<(string Name, string Expression)> variables, Func<string, object?> evaluate)
    {
        foreach (var (name, expression) in variables)
        {
            _all[name] = new CelLazy(() => evaluate(expression));
        }
    }

    public string TypeName => "kubernetes.variables";

    public bool TryGetField(string name, out object? value)
    {
        value = null;
        if (!_all.TryGetValue(name, out var lazy))
        {
            return false;
        }

        value = lazy.Value;
        return true;
    }

    public bool TryCall(string name, object?[] arguments, CelBudget budget, out object? result)
    {
        result = null;
        return false;
    }
}
