namespace Hardway.Cel;

/// <summary>The variables in sight of a node: the host's, and those of comprehensions, inner ones first.</summary>
internal sealed class CelScope
{
    private readonly IReadOnlyDictionary<string, object?>? _variables;
    private readonly CelScope? _outer;
    private readonly string _name = "";

    public CelScope(IReadOnlyDictionary<string, object?> variables, CelBudget budget)
    {
        _variables = variables;
        Budget = budget;
    }

    private CelScope(CelScope outer, string name, object? value)
    {
        _outer = outer;
        _name = name;
        Value = value;
        Budget = outer.Budget;
    }

    public CelBudget Budget { get; }

    /// <summary>Of the innermost variable; a comprehension sets it anew for each round.</summary>
    public object? Value { get; set; }

    public CelScope With(string name, object? value) => new(this, name, value);

    public object? Find(string name)
    {
        var scope = this;
        while (scope._outer is not null)
        {
            if (scope._name == name)
            {
                return scope.Value;
            }

            scope = scope._outer;
        }

        return scope._variables!.TryGetValue(name, out var value)
            ? value is CelLazy lazy ? lazy.Value : value
            : throw new CelException($"no such attribute: {name}");
    }
}
