namespace Hardway.Cel.Checking;

/// <summary>The variables in sight and their types. One check's flow only.</summary>
internal sealed class CheckScope
{
    private readonly CheckScope? _outer;
    private readonly string _name;
    private readonly CelDecl _type;
    private readonly IReadOnlyDictionary<string, CelDecl> _variables;

    public CheckScope(IReadOnlyDictionary<string, CelDecl> variables)
    {
        _variables = variables;
        _name = "";
        _type = CelDecl.Dyn;
        Names = new HashSet<string>(StringComparer.Ordinal);
    }

    private CheckScope(CheckScope outer, string name, CelDecl type)
    {
        _outer = outer;
        _name = name;
        _type = type;
        _variables = outer._variables;
        Names = outer.Names;
    }

    /// <summary>The host's variables that were asked for.</summary>
    public HashSet<string> Names { get; }

    public CheckScope With(string name, CelDecl type) => new(this, name, type);

    public CelDecl? Find(string name)
    {
        for (var scope = this; scope._outer is not null; scope = scope._outer)
        {
            if (scope._name == name)
            {
                return scope._type;
            }
        }

        if (!_variables.TryGetValue(name, out var type))
        {
            return null;
        }

        Names.Add(name);
        return type;
    }
}
