namespace Hardway.Cel.Functions;

/// <summary>A function: the arguments (of a method the target first), and the work it may do. No value: CelException.</summary>
internal delegate object? CelFunction(object?[] arguments, CelBudget budget);

/// <summary>All functions by name and number of arguments; overloads by type are within one function. Immutable once built.</summary>
internal sealed class FunctionTable
{
    public static readonly FunctionTable Instance = new();

    private static readonly string[] s_types = ["bool", "int", "uint", "double", "string", "bytes", "list", "map", "type", "null_type"];
    private static readonly HashSet<string> s_hostMethods = new(StringComparer.Ordinal) { "path", "check", "allowed", "reason", "errored", "error", "serviceAccount", "group", "resource", "subresource", "namespace", "name", "requestResource", "fieldSelector", "labelSelector", "validate" };

    private readonly Dictionary<(string, int), CelFunction> _globals = [];
    private readonly Dictionary<(string, int), CelFunction> _methods = [];
    private readonly Dictionary<string, CelFunction> _operators = new(StringComparer.Ordinal);
    private readonly HashSet<string> _namespaces = new(StringComparer.Ordinal) { "cel" };

    private FunctionTable()
    {
        Operators.AddTo(this);
        Conversions.AddTo(this);
        Texts.AddTo(this);
        Times.AddTo(this);
        Lists.AddTo(this);
        Optionals.AddTo(this);
        Networks.AddTo(this);
        Quantities.AddTo(this);
        Regexes.AddTo(this);
        Maths.AddTo(this);
        Formats.AddTo(this);
        SemVers.AddTo(this);
    }

    public static CelType? TypeNamed(string name) => s_types.Contains(name) ? new CelType(name) : null;

    public CelFunction Operator(string symbol) => _operators[symbol];

    public CelFunction? Global(string name, int count) => _globals.GetValueOrDefault((name, count)) ?? _globals.GetValueOrDefault((name, -1));

    /// <param name="name">The method's name.</param>
    /// <param name="count">Arguments without the target.</param>
    public CelFunction? Method(string name, int count) => _methods.GetValueOrDefault((name, count));

    /// <summary>A method that only objects of the host have.</summary>
    public bool IsHostMethod(string name) => s_hostMethods.Contains(name);

    public bool IsNamespace(string name) => _namespaces.Contains(name);

    public void AddOperator(string symbol, CelFunction function) => _operators[symbol] = function;

    /// <param name="name">NAME or NAMESPACE.NAME.</param>
    /// <param name="count">Number of arguments; -1 for any.</param>
    /// <param name="function">What it does.</param>
    public void AddGlobal(string name, int count, CelFunction function)
    {
        _globals[(name, count)] = function;
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot > 0)
        {
            _namespaces.Add(name[..dot]);
        }
    }

    public void AddMethod(string name, int count, CelFunction function) => _methods[(name, count)] = function;
}
