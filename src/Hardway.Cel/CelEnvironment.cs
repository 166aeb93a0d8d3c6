using Hardway.Cel.Functions;
using Hardway.Cel.Syntax;

namespace Hardway.Cel;

/// <summary>
/// What expressions may name: variables, and the functions of CEL's standard and Kubernetes' libraries. Immutable, safe for all threads.
/// Types are not checked before evaluation; names and syntax are.
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
