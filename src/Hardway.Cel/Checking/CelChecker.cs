using System.Runtime.CompilerServices;
using Hardway.Cel.Functions;
using Hardway.Cel.Syntax;

namespace Hardway.Cel.Checking;

/// <summary>The type of an expression and the work it takes at most, without evaluating it. What is dyn fits everywhere.</summary>
internal static class CelChecker
{
    public static (CelDecl Type, double Cost) Check(CelNode node, CheckScope scope)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return node switch
        {
            ConstantNode constant => (OfConstant(constant.Value), 0),
            VariableNode variable => (scope.Find(variable.Name) ?? throw new CelTypeException($"undeclared reference to '{variable.Name}' (in container '')", node.Position), 1),
            SelectNode select => Select(select, scope),
            HasNode has => Has(has, scope),
            IndexNode index => Index(index, scope),
            ListNode list => List(list, scope),
            MapNode map => Map(map, scope),
            AndNode and => Logic(and.Left, and.Right, "_&&_", node.Position, scope),
            OrNode or => Logic(or.Left, or.Right, "_||_", node.Position, scope),
            ChoiceNode choice => Choice(choice, scope),
            CallNode call => Call(call, scope),
            BindNode bind => Bind(bind, scope),
            OptionalMapNode map => OptionalMap(map, scope),
            ComprehensionNode comprehension => Comprehension(comprehension, scope),
            _ => throw new InvalidOperationException($"{node.GetType().Name} cannot be checked"),
        };
    }

    private static CelDecl OfConstant(object? value) => value switch
    {
        null => CelDecl.Null,
        bool => CelDecl.Bool,
        long => CelDecl.Int,
        ulong => CelDecl.Uint,
        double => CelDecl.Double,
        string text => CelDecl.Text.WithSize(text.Length),
        byte[] bytes => CelDecl.Bytes.WithSize(bytes.Length),
        CelType => CelDecl.Type,
        _ => CelDecl.Dyn,
    };

    private static (CelDecl, double) Select(SelectNode node, CheckScope scope)
    {
        if (node.Operand is VariableNode owner && scope.Find(owner.Name) is null)
        {
            // A namespace of functions: only calls make sense of it.
            throw new CelTypeException($"undeclared reference to '{owner.Name}' (in container '')", node.Position);
        }

        var (operand, cost) = Check(node.Operand, scope);
        var isOptional = node.IsOptional || operand.Kind == CelDeclKind.Optional;
        var field = FieldOf(operand.Kind == CelDeclKind.Optional ? operand.Element! : operand, node);
        return (isOptional ? CelDecl.Optional(field) : field, cost + 1);
    }

    private static CelDecl FieldOf(CelDecl operand, SelectNode node)
    {
        switch (operand.Kind)
        {
            case CelDeclKind.Dyn:
                return CelDecl.Dyn;
            case CelDeclKind.Map when operand.Key!.Kind is CelDeclKind.Text or CelDeclKind.Dyn:
                return operand.Element!;
            case CelDeclKind.Object or CelDeclKind.Opaque:
                return operand.Fields.GetValueOrDefault(node.Field)
                    ?? (FieldNames.Unescape(node.Field) is { } original ? operand.Fields.GetValueOrDefault(original) : null)
                    ?? (operand is { Name: "kubernetes.authorization.Authorizer" } && node.Field == "requestResource" ? CelDecl.Opaque("kubernetes.authorization.ResourceCheck") : null)
                    ?? throw new CelTypeException($"undefined field '{node.Field}'", node.Position);
            default:
                throw new CelTypeException($"type '{operand}' does not support field selection", node.Position);
        }
    }

    private static (CelDecl, double) Has(HasNode node, CheckScope scope)
    {
        var (_, cost) = Select(node.Select, scope);
        return (CelDecl.Bool, cost);
    }

    private static (CelDecl, double) Index(IndexNode node, CheckScope scope)
    {
        var (operand, cost) = Check(node.Operand, scope);
        var (index, more) = Check(node.Index, scope);
        var isOptional = node.IsOptional || operand.Kind == CelDeclKind.Optional;
        var from = operand.Kind == CelDeclKind.Optional ? operand.Element! : operand;
        var element = from.Kind switch
        {
            CelDeclKind.Dyn => CelDecl.Dyn,
            CelDeclKind.List when index.Kind is CelDeclKind.Int or CelDeclKind.Uint or CelDeclKind.Double or CelDeclKind.Dyn => from.Element!,
            CelDeclKind.Map when Overloads.Join(from.Key!, index) is not null => from.Element!,
            _ => throw NoOverload("_[_]", [operand, index], node.Position),
        };
        return (isOptional ? CelDecl.Optional(element) : element, cost + more + 1);
    }

    private static (CelDecl, double) List(ListNode node, CheckScope scope)
    {
        CelDecl? element = null;
        var cost = 10.0;
        for (var i = 0; i < node.Items.Length; i++)
        {
            var (type, more) = Check(node.Items[i], scope);
            cost += more;
            element = Joined(element, Unwrapped(type, node.IsOptional[i], node.Items[i].Position), node.Items[i].Position);
        }

        return (CelDecl.List(element ?? CelDecl.Dyn).WithSize(node.Items.Length), cost);
    }

    private static (CelDecl, double) Map(MapNode node, CheckScope scope)
    {
        CelDecl? key = null, value = null;
        var cost = node.TypeName.Length > 0 ? 40.0 : 30.0;
        foreach (var (keyNode, valueNode, isOptional) in node.Entries)
        {
            var (keyType, keyCost) = Check(keyNode, scope);
            var (valueType, valueCost) = Check(valueNode, scope);
            cost += keyCost + valueCost;
            valueType = Unwrapped(valueType, isOptional, valueNode.Position);
            if (node.TypeName.Length == 0)
            {
                key = Joined(key, keyType, keyNode.Position);
                value = Joined(value, valueType, valueNode.Position);
            }
        }

        return node.TypeName.Length > 0
            ? (CelDecl.Opaque(node.TypeName), cost)
            : (CelDecl.Map(key ?? CelDecl.Dyn, value ?? CelDecl.Dyn).WithSize(node.Entries.Length), cost);
    }

    private static CelDecl Unwrapped(CelDecl type, bool isOptional, int position) => !isOptional ? type : type.Kind switch
    {
        CelDeclKind.Optional => type.Element!,
        CelDeclKind.Dyn => type,
        _ => throw new CelTypeException($"expected type 'optional_type({type})' but found '{type}'", position),
    };

    private static CelDecl Joined(CelDecl? so, CelDecl next, int position) =>
        so is null ? next : Overloads.Join(so, next) ?? throw new CelTypeException($"expected type '{so}' but found '{next}'", position);

    private static (CelDecl, double) Logic(CelNode left, CelNode right, string name, int position, CheckScope scope)
    {
        var (a, costA) = Check(left, scope);
        var (b, costB) = Check(right, scope);
        return a.Kind is CelDeclKind.Bool or CelDeclKind.Dyn && b.Kind is CelDeclKind.Bool or CelDeclKind.Dyn ? (CelDecl.Bool, costA + costB + 1) : throw NoOverload(name, [a, b], position);
    }

    private static (CelDecl, double) Choice(ChoiceNode node, CheckScope scope)
    {
        var (condition, cost) = Check(node.Condition, scope);
        var (yes, costYes) = Check(node.Yes, scope);
        var (no, costNo) = Check(node.No, scope);
        return condition.Kind is CelDeclKind.Bool or CelDeclKind.Dyn && Overloads.Join(yes, no) is { } type
            ? (type, cost + Math.Max(costYes, costNo) + 1)
            : throw NoOverload("_?_:_", [condition, yes, no], node.Position);
    }

    private static (CelDecl, double) Call(CallNode node, CheckScope scope)
    {
        var types = new List<CelDecl>();
        var cost = 0.0;
        foreach (var argument in node.Target is null ? node.Arguments : [node.Target, .. node.Arguments])
        {
            var (type, more) = Check(argument, scope);
            types.Add(type);
            cost += more;
        }

        CelDecl[] all = [.. types];
        var result = Extreme(node, all) ?? (node.Name.StartsWith("format.", StringComparison.Ordinal) && all.Length == 0 ? CelDecl.Opaque("kubernetes.NamedFormat") : null)
            ?? Overloads.Resolve(Signatures.Of(node.Name, node.Target is not null, all.Length), all)
            ?? (node.Target is not null && all[0].Kind == CelDeclKind.Dyn ? CelDecl.Dyn : throw NoOverload(Shown(node.Name), all, node.Position));
        return (CallCost.Sized(node.Name, result, all), cost + CallCost.Of(node.Name, all));
    }

    /// <summary>math.greatest and math.least take any number of numbers, or a list of them.</summary>
    private static CelDecl? Extreme(CallNode node, CelDecl[] arguments)
    {
        if (node.Name is not ("math.greatest" or "math.least"))
        {
            return null;
        }

        return arguments is [{ Kind: CelDeclKind.List } list] ? list.Element
            : arguments.Length > 0 && Array.TrueForAll(arguments, a => a.Kind is CelDeclKind.Int or CelDeclKind.Uint or CelDeclKind.Double or CelDeclKind.Dyn) ? arguments.Aggregate((a, b) => Overloads.Join(a, b) ?? CelDecl.Dyn)
            : throw NoOverload(node.Name, arguments, node.Position);
    }

    private static (CelDecl, double) Bind(BindNode node, CheckScope scope)
    {
        var (value, cost) = Check(node.Value, scope);
        var (body, more) = Check(node.Body, scope.With(node.Name, value));
        return (body, cost + more + 1);
    }

    private static (CelDecl, double) OptionalMap(OptionalMapNode node, CheckScope scope)
    {
        var (operand, cost) = Check(node.Operand, scope);
        if (operand.Kind is not (CelDeclKind.Optional or CelDeclKind.Dyn))
        {
            throw NoOverload(node.IsFlat ? "optFlatMap" : "optMap", [operand], node.Position);
        }

        var (body, more) = Check(node.Body, scope.With(node.Name, operand.Element ?? CelDecl.Dyn));
        return (node.IsFlat ? body : CelDecl.Optional(body), cost + more + 1);
    }

    private static (CelDecl, double) Comprehension(ComprehensionNode node, CheckScope scope)
    {
        var (range, cost) = Check(node.Range, scope);
        var (first, second) = Variables(range, node.Second is not null, node.Range.Position);
        var inner = scope.With(node.First, first);
        inner = node.Second is null ? inner : inner.With(node.Second, second);
        var round = 3.0;
        if (node.Condition is not null)
        {
            var (condition, more) = Check(node.Condition, inner);
            IsBool(condition, node.Condition.Position);
            round += more;
        }

        var (body, each) = Check(node.Body, inner);
        if (node.Kind is ComprehensionKind.All or ComprehensionKind.Exists or ComprehensionKind.ExistsOne or ComprehensionKind.Filter)
        {
            IsBool(body, node.Body.Position);
        }

        var type = node.Kind switch
        {
            ComprehensionKind.All or ComprehensionKind.Exists or ComprehensionKind.ExistsOne => CelDecl.Bool,
            ComprehensionKind.Filter => CelDecl.List(first).WithSize(range.Size),
            ComprehensionKind.Map or ComprehensionKind.TransformList => CelDecl.List(body).WithSize(range.Size),
            ComprehensionKind.TransformMap => CelDecl.Map(first, body).WithSize(range.Size),
            _ => body.Kind == CelDeclKind.Map ? body.WithSize(range.Size) : CelDecl.Dyn,
        };
        return (type, cost + 1 + CallCost.Times(range.Size, round + each));
    }

    private static (CelDecl First, CelDecl Second) Variables(CelDecl range, bool two, int position) => range.Kind switch
    {
        CelDeclKind.Dyn => (CelDecl.Dyn, CelDecl.Dyn),
        CelDeclKind.Map => (range.Key!, range.Element!),
        CelDeclKind.List when two => (CelDecl.Int, range.Element!),
        CelDeclKind.List => (range.Element!, CelDecl.Dyn),
        _ => throw new CelTypeException($"expression of type '{range}' cannot be range of a comprehension (must be list, map, or dynamic)", position),
    };

    private static void IsBool(CelDecl type, int position)
    {
        if (type.Kind is not (CelDeclKind.Bool or CelDeclKind.Dyn))
        {
            throw new CelTypeException($"expected type 'bool' but found '{type}'", position);
        }
    }

    private static string Shown(string name) => char.IsLetter(name[0]) && name is not ("in" or "neg") ? name : name is "neg" ? "-_" : name is "!" ? "!_" : name is "in" ? "@in" : $"_{name}_";

    private static CelTypeException NoOverload(string name, CelDecl[] arguments, int position) =>
        new($"found no matching overload for '{name}' applied to '({string.Join(", ", (IEnumerable<CelDecl>)arguments)})'", position);
}
