using Hardway.Cel.Functions;

namespace Hardway.Cel.Syntax;

/// <summary>
/// Recursive descent over CEL's grammar, with its macros. Nesting and length are bounded: expressions come from users. Names are looked up
/// here, so an unknown variable or function is found when the expression is written rather than when it is used.
/// </summary>
internal sealed class CelParser
{
    private const int MostNested = 250;
    private const int Longest = 100_000;

    private static readonly HashSet<string> s_reserved = new(StringComparer.Ordinal)
    {
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while",
    };

    private static readonly Dictionary<string, int> s_precedence = new(StringComparer.Ordinal)
    {
        ["<"] = 1, ["<="] = 1, [">"] = 1, [">="] = 1, ["=="] = 1, ["!="] = 1, ["in"] = 1, ["+"] = 2, ["-"] = 2, ["*"] = 3, ["/"] = 3, ["%"] = 3,
    };

    private readonly FunctionTable _functions;
    private readonly HashSet<string> _variables;
    private readonly List<string> _local = [];
    private readonly List<Token> _tokens;
    private int _at;
    private int _depth;

    public CelParser(string text, FunctionTable functions, HashSet<string> variables)
    {
        if (text.Length > Longest)
        {
            throw new CelSyntaxException($"the expression is longer than {Longest} characters", 0);
        }

        _functions = functions;
        _variables = variables;
        _tokens = new CelLexer(text).All();
    }

    private Token Current => _tokens[Math.Clamp(_at, 0, _tokens.Count - 1)];

    public CelNode Parse()
    {
        var node = Expression();
        return Current.Kind == TokenKind.End ? node : throw Unexpected();
    }

    private CelNode Expression()
    {
        if (++_depth > MostNested)
        {
            throw new CelSyntaxException("expression recursion limit exceeded: " + MostNested, Current.Position);
        }

        var condition = Or();
        if (!Take("?"))
        {
            _depth--;
            return condition;
        }

        var yes = Or();
        Expect(":");
        var node = new ChoiceNode(condition, yes, Expression(), condition.Position);
        _depth--;
        return node;
    }

    private CelNode Or()
    {
        var parts = new List<CelNode> { And() };
        while (Take("||"))
        {
            parts.Add(And());
        }

        return Balance(parts, (a, b) => new OrNode(a, b, a.Position));
    }

    private CelNode And()
    {
        var parts = new List<CelNode> { Binary(1) };
        while (Take("&&"))
        {
            parts.Add(Binary(1));
        }

        return Balance(parts, (a, b) => new AndNode(a, b, a.Position));
    }

    /// <summary>A long chain becomes a shallow tree.</summary>
    private static CelNode Balance(List<CelNode> parts, Func<CelNode, CelNode, CelNode> join)
    {
        while (parts.Count > 1)
        {
            var next = new List<CelNode>((parts.Count + 1) / 2);
            for (var i = 0; i < parts.Count; i += 2)
            {
                next.Add(i + 1 < parts.Count ? join(parts[i], parts[i + 1]) : parts[i]);
            }

            parts = next;
        }

        return parts[0];
    }

    private CelNode Binary(int precedence)
    {
        if (precedence > 3)
        {
            return Unary();
        }

        var left = Binary(precedence + 1);
        var chained = 0;
        while (Current.Kind is TokenKind.Symbol or TokenKind.Identifier && s_precedence.TryGetValue(Current.Text, out var own) && own == precedence && Current.Value is null)
        {
            if (++chained > MostNested)
            {
                throw new CelSyntaxException("the chain of operators is too long", Current.Position);
            }

            var token = Next();
            left = new CallNode(token.Text, _functions.Operator(token.Text), null, [left, Binary(precedence + 1)], token.Position);
        }

        return left;
    }

    private CelNode Unary()
    {
        if (Current is not { Kind: TokenKind.Symbol, Text: "!" or "-" })
        {
            return Member(Primary());
        }

        if (++_depth > MostNested)
        {
            throw new CelSyntaxException("expression recursion limit exceeded: " + MostNested, Current.Position);
        }

        var token = Next();
        CelNode node;
        if (token.Text == "-" && Current is { Kind: TokenKind.Integer or TokenKind.Double } number)
        {
            Next();
            node = Member(new ConstantNode(number.Value is double d ? (object)-d : Negative((ulong)number.Value!, number.Position), token.Position));
        }
        else
        {
            node = new CallNode(token.Text, _functions.Operator(token.Text == "-" ? "neg" : "!"), null, [Unary()], token.Position);
        }

        _depth--;
        return node;
    }

    private CelNode Member(CelNode node)
    {
        var chained = 0;
        while (true)
        {
            if (++chained > MostNested)
            {
                throw new CelSyntaxException("the chain of members is too long", Current.Position);
            }

            var position = Current.Position;
            if (Take("."))
            {
                var isOptional = Take("?");
                var name = Name(isSelector: true);
                node = !isOptional && Current is { Kind: TokenKind.Symbol, Text: "(" } ? Method(node, name, position) : new SelectNode(node, name, isOptional, position);
            }
            else if (Take("["))
            {
                var isOptional = Take("?");
                var index = Expression();
                Expect("]");
                node = new IndexNode(node, index, isOptional, position);
            }
            else
            {
                return node;
            }
        }
    }

    private CelNode Primary()
    {
        var token = Next();
        switch (token.Kind)
        {
            case TokenKind.Integer:
                return new ConstantNode((ulong)token.Value! <= long.MaxValue ? (long)(ulong)token.Value : throw new CelSyntaxException("invalid int literal", token.Position), token.Position);
            case TokenKind.Unsigned or TokenKind.Double or TokenKind.Text or TokenKind.Bytes:
                return new ConstantNode(token.Value, token.Position);
            case TokenKind.Symbol when token.Text == "(":
                var inner = Expression();
                Expect(")");
                return inner;
            case TokenKind.Symbol when token.Text == "[":
                return List(token.Position);
            case TokenKind.Symbol when token.Text == "{":
                return Map(token.Position);
            case TokenKind.Symbol when token.Text == "." && Current.Kind == TokenKind.Identifier:
                return Identifier(Next());
            case TokenKind.Identifier:
                return Identifier(token);
            default:
                _at--;
                throw Unexpected();
        }
    }

    private CelNode Identifier(Token token)
    {
        switch (token.Text)
        {
            case "true" or "false":
                return new ConstantNode(token.Text == "true", token.Position);
            case "null":
                return new ConstantNode(null, token.Position);
            case "in":
                throw new CelSyntaxException("unexpected 'in'", token.Position);
        }

        if (s_reserved.Contains(token.Text))
        {
            throw new CelSyntaxException($"reserved identifier: {token.Text}", token.Position);
        }

        if (Current is { Kind: TokenKind.Symbol, Text: "(" })
        {
            return Function(token);
        }

        if (IsVariable(token.Text))
        {
            return new VariableNode(token.Text, token.Position);
        }

        if (token.Text is "Object" or "JSONPatch")
        {
            return Message(token);
        }

        return FunctionTable.TypeNamed(token.Text) is { } type ? new ConstantNode(type, token.Position)
            : Current is { Kind: TokenKind.Symbol, Text: "." } && _functions.IsNamespace(token.Text) ? new VariableNode(token.Text, token.Position)
            : throw new CelSyntaxException($"undeclared reference to '{token.Text}' (in container '')", token.Position);
    }

    /// <summary>Object.metadata{labels: {...}}: a mutation's object, written as a message; a map once it is made.</summary>
    private MapNode Message(Token type)
    {
        var name = type.Text;
        while (Take("."))
        {
            name += "." + Name(isSelector: true);
        }

        Expect("{");
        var fields = new List<(CelNode, CelNode, bool)>();
        while (!Take("}"))
        {
            var isOptional = Take("?");
            var key = new ConstantNode(FieldNames.Unescape(Current.Text) ?? Current.Text, Current.Position);
            Name(isSelector: true);
            Expect(":");
            fields.Add((key, Expression(), isOptional));
            if (!Take(","))
            {
                Expect("}");
                break;
            }
        }

        return new MapNode([.. fields], type.Position) { TypeName = name };
    }

    private CelNode Function(Token name)
    {
        if (name.Text == "has")
        {
            var arguments = Arguments();
            return arguments is [SelectNode select] ? new HasNode(select, name.Position) : throw new CelSyntaxException("invalid argument to has() macro", name.Position);
        }

        var values = Arguments();
        return new CallNode(name.Text, _functions.Global(name.Text, values.Count) ?? throw Undeclared(name.Text, name.Position), null, [.. values], name.Position);
    }

    private CelNode Method(CelNode target, string name, int position)
    {
        if (target is VariableNode owner && !IsVariable(owner.Name))
        {
            var qualified = owner.Name + "." + name;
            if (qualified == "cel.bind")
            {
                return Bind(position);
            }

            var found = Arguments();
            return new CallNode(qualified, _functions.Global(qualified, found.Count) ?? throw Undeclared(qualified, position), null, [.. found], position);
        }

        if (Macro(target, name, position) is { } macro)
        {
            return macro;
        }

        var arguments = Arguments();
        var function = _functions.Method(name, arguments.Count);
        return function is null && !_functions.IsHostMethod(name) ? throw Undeclared(name, position) : new CallNode(name, function, target, [.. arguments], position);
    }

    private CelNode? Macro(CelNode target, string name, int position)
    {
        switch (name)
        {
            case "all":
                return Comprehend(ComprehensionKind.All, target, position, 2, 3);
            case "exists":
                return Comprehend(ComprehensionKind.Exists, target, position, 2, 3);
            case "exists_one" or "existsOne":
                return Comprehend(ComprehensionKind.ExistsOne, target, position, 2, 3);
            case "filter":
                return Comprehend(ComprehensionKind.Filter, target, position, 2, 2);
            case "map":
                return Comprehend(ComprehensionKind.Map, target, position, 2, 3);
            case "transformList":
                return Comprehend(ComprehensionKind.TransformList, target, position, 3, 4);
            case "transformMap":
                return Comprehend(ComprehensionKind.TransformMap, target, position, 3, 4);
            case "transformMapEntry":
                return Comprehend(ComprehensionKind.TransformMapEntry, target, position, 3, 4);
            case "optMap" or "optFlatMap":
                Expect("(");
                var variable = LocalName();
                Expect(",");
                var body = Within(() => Expression(), variable);
                Expect(")");
                return new OptionalMapNode(target, variable, body, name == "optFlatMap", position);
            default:
                return null;
        }
    }

    private CelNode Comprehend(ComprehensionKind kind, CelNode target, int position, int least, int most)
    {
        Expect("(");
        var first = LocalName();
        Expect(",");
        string? second = null;
        var takesTwo = kind is ComprehensionKind.TransformList or ComprehensionKind.TransformMap or ComprehensionKind.TransformMapEntry;
        if (takesTwo || (kind is ComprehensionKind.All or ComprehensionKind.Exists or ComprehensionKind.ExistsOne && Current.Kind == TokenKind.Identifier && _tokens[_at + 1] is { Kind: TokenKind.Symbol, Text: "," }))
        {
            second = LocalName();
            Expect(",");
        }

        var parts = new List<CelNode>();
        var names = second is null ? new[] { first } : [first, second];
        do
        {
            parts.Add(Within(() => Expression(), names));
        }
        while (Take(","));
        Expect(")");
        var count = parts.Count + names.Length;
        if (count < least || count > most || parts.Count > 2)
        {
            throw new CelSyntaxException("wrong number of arguments to a macro", position);
        }

        return new ComprehensionNode(kind, target, first, second, parts.Count == 2 ? parts[0] : null, parts[^1], position);
    }

    private CelNode Bind(int position)
    {
        Expect("(");
        var name = LocalName();
        Expect(",");
        var value = Expression();
        Expect(",");
        var body = Within(() => Expression(), name);
        Expect(")");
        return new BindNode(name, value, body, position);
    }

    private CelNode Within(Func<CelNode> parse, params ReadOnlySpan<string> names)
    {
        _local.AddRange(names);
        var node = parse();
        _local.RemoveRange(_local.Count - names.Length, names.Length);
        return node;
    }

    private List<CelNode> Arguments()
    {
        Expect("(");
        var all = new List<CelNode>();
        if (Take(")"))
        {
            return all;
        }

        do
        {
            all.Add(Expression());
        }
        while (Take(","));
        Expect(")");
        return all;
    }

    private ListNode List(int position)
    {
        var (items, isOptional) = (new List<CelNode>(), new List<bool>());
        while (!Take("]"))
        {
            isOptional.Add(Take("?"));
            items.Add(Expression());
            if (!Take(","))
            {
                Expect("]");
                break;
            }
        }

        return new ListNode([.. items], [.. isOptional], position);
    }

    private MapNode Map(int position)
    {
        var entries = new List<(CelNode, CelNode, bool)>();
        while (!Take("}"))
        {
            var isOptional = Take("?");
            var key = Expression();
            Expect(":");
            entries.Add((key, Expression(), isOptional));
            if (!Take(","))
            {
                Expect("}");
                break;
            }
        }

        return new MapNode([.. entries], position);
    }

    private string LocalName()
    {
        var token = Next();
        return token.Kind == TokenKind.Identifier && token.Text is not ("true" or "false" or "null" or "in") && !s_reserved.Contains(token.Text) ? token.Text : throw new CelSyntaxException("argument is not an identifier", token.Position);
    }

    private string Name(bool isSelector)
    {
        var token = Next();
        return token.Kind == TokenKind.Identifier && (isSelector || !s_reserved.Contains(token.Text)) ? token.Text : throw new CelSyntaxException($"Syntax error: a name is expected, not '{token.Text}'", token.Position);
    }

    private bool IsVariable(string name) => _local.Contains(name) || _variables.Contains(name);

    private static long Negative(ulong value, int position) => value <= 1UL << 63 ? unchecked(-(long)value) : throw new CelSyntaxException("invalid int literal", position);

    private static CelSyntaxException Undeclared(string name, int position) => new($"undeclared reference to '{name}' (in container '')", position);

    private CelSyntaxException Unexpected() => new($"Syntax error: unexpected '{Current.Text}'", Current.Position);

    private Token Next() => _tokens[_at].Kind == TokenKind.End ? _tokens[_at] : _tokens[_at++];

    private bool Take(string symbol)
    {
        if (Current.Kind != TokenKind.Symbol || Current.Text != symbol)
        {
            return false;
        }

        _at++;
        return true;
    }

    private void Expect(string symbol)
    {
        if (!Take(symbol))
        {
            throw new CelSyntaxException($"Syntax error: '{symbol}' expected, not '{Current.Text}'", Current.Position);
        }
    }
}
