using Hardway.Cel.Checking;
using Hardway.Cel.Functions;
using Hardway.Cel.Syntax;

namespace Hardway.Cel;

/// <summary>
/// What expressions may name: variables, and the functions of CEL's standard and Kubernetes' libraries. Immutable, safe for all threads.
/// Names and syntax are checked when an expression is compiled, types by <see cref="CelProgram.Check"/>.
/// </summary>
public sealed class CelEnvironment(params IEnumerable<string> variables)
{
    private readonly HashSet<string> _variables = new(variables, StringComparer.Ordinal);

    public CelEnvironment With(params IEnumerable<string> more) => new(_variables.Concat(more));

    /// <exception cref="CelSyntaxException">What is wrong and where.</exception>
    public CelProgram Compile(string expression)
    {
        var node = new CelParser(expression, FunctionTable.Instance, _variables).Parse();
        return new CelProgram(expression, node);
    }
}

/// <summary>A compiled expression. Immutable, safe for all threads.</summary>
public sealed class CelProgram
{
    private readonly CelNode _root;

    internal CelProgram(string text, CelNode root)
    {
        Text = text;
        _root = root;
    }

    public string Text { get; }

    /// <summary>The type of the value and the work it takes at most, given the types of the variables.</summary>
    /// <exception cref="CelTypeException">Types that do not fit, and where.</exception>
    public CelCheck Check(IReadOnlyDictionary<string, CelDecl> variables)
    {
        var scope = new CheckScope(variables);
        try
        {
            var (type, cost) = CelChecker.Check(_root, scope);
            return new CelCheck(type, cost, scope.Names);
        }
        catch (InsufficientExecutionStackException)
        {
            throw new CelTypeException("the expression is nested too deeply", 0);
        }
    }

    /// <summary>
    /// The value: null, bool, long, ulong, double, string, byte[], DateTimeOffset, TimeSpan, lists, dictionaries, or an object of a library.
    /// </summary>
    /// <exception cref="CelException">There is none.</exception>
    public object? Evaluate(IReadOnlyDictionary<string, object?> variables, CelBudget budget)
    {
        try
        {
            return _root.Evaluate(new CelScope(variables, budget));
        }
        catch (InsufficientExecutionStackException e)
        {
            throw new CelException("the expression is nested too deeply", e);
        }
    }
}
