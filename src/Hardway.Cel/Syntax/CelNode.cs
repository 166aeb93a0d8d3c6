using System.Collections;
using System.Runtime.CompilerServices;
using Hardway.Cel.Functions;

namespace Hardway.Cel.Syntax;

/// <summary>A node of a compiled expression. Immutable.</summary>
internal abstract class CelNode(int position)
{
    public int Position { get; } = position;

    public abstract object? Evaluate(CelScope scope);

    /// <summary>Of a condition: its value, or the error instead of throwing it, as the other side may decide.</summary>
    protected static bool? Decide(CelNode node, CelScope scope, out CelException? error)
    {
        error = null;
        try
        {
            if (node.Evaluate(scope) is bool value)
            {
                return value;
            }

            error = CelException.NoOverload("a condition that is no bool");
        }
        catch (CelException e) when (e is not CelBudgetException)
        {
            error = e;
        }

        return null;
    }
}

internal sealed class ConstantNode(object? value, int position) : CelNode(position)
{
    public object? Value => value;

    public override object? Evaluate(CelScope scope) => value;
}

internal sealed class VariableNode(string name, int position) : CelNode(position)
{
    public string Name => name;

    public override object? Evaluate(CelScope scope)
    {
        scope.Budget.Take(1);
        return scope.Find(name);
    }
}

/// <summary>operand.field, operand.?field and has(operand.field).</summary>
internal sealed class SelectNode(CelNode operand, string name, bool isOptional, int position) : CelNode(position)
{
    public CelNode Operand => operand;

    public string Field => name;

    public bool IsOptional => isOptional;

    public override object? Evaluate(CelScope scope)
    {
        scope.Budget.Take(1);
        var value = operand.Evaluate(scope);
        if (value is CelOptional optional)
        {
            return optional.HasValue && Members.TryField(optional.Value, name, out var inner) ? CelOptional.Of(inner) : CelOptional.None;
        }

        if (Members.TryField(value, name, out var found))
        {
            return isOptional ? CelOptional.Of(found) : found;
        }

        return isOptional ? CelOptional.None : value is IDictionary or ICelObject ? throw new CelException($"no such key: {name}") : throw new CelException($"no such overload: {CelValues.TypeOf(value)}.{name}");
    }

    public bool Has(CelScope scope)
    {
        scope.Budget.Take(1);
        var value = operand.Evaluate(scope);
        value = value is CelOptional optional ? optional.HasValue ? optional.Value : null : value;
        return value is null or IDictionary or ICelObject ? Members.TryField(value, name, out _) : throw CelException.NoOverload("has");
    }
}

internal sealed class HasNode(SelectNode select, int position) : CelNode(position)
{
    public SelectNode Select => select;

    public override object? Evaluate(CelScope scope) => select.Has(scope);
}

internal sealed class IndexNode(CelNode operand, CelNode index, bool isOptional, int position) : CelNode(position)
{
    public CelNode Operand => operand;

    public CelNode Index => index;

    public bool IsOptional => isOptional;

    public override object? Evaluate(CelScope scope)
    {
        scope.Budget.Take(1);
        var (value, key) = (operand.Evaluate(scope), index.Evaluate(scope));
        if (value is CelOptional optional)
        {
            return optional.HasValue && Members.TryIndex(optional.Value, key, out var inner) ? CelOptional.Of(inner) : CelOptional.None;
        }

        if (Members.TryIndex(value, key, out var found))
        {
            return isOptional ? CelOptional.Of(found) : found;
        }

        return isOptional ? CelOptional.None : throw new CelException(value is IDictionary ? $"no such key: {key}" : value is IList ? $"index out of bounds: {key}" : "no such overload: _[_]");
    }
}

internal sealed class ListNode(CelNode[] items, bool[] isOptional, int position) : CelNode(position)
{
    public CelNode[] Items => items;

    public bool[] IsOptional => isOptional;

    public override object? Evaluate(CelScope scope)
    {
        scope.Budget.Take(10);
        var list = new List<object?>(items.Length);
        for (var i = 0; i < items.Length; i++)
        {
            var value = items[i].Evaluate(scope);
            if (!isOptional[i])
            {
                list.Add(value);
            }
            else if (value is CelOptional { HasValue: true } some)
            {
                list.Add(some.Value);
            }
        }

        return list;
    }
}

internal sealed class MapNode((CelNode Key, CelNode Value, bool IsOptional)[] entries, int position) : CelNode(position)
{
    public (CelNode Key, CelNode Value, bool IsOptional)[] Entries => entries;

    /// <summary>Of a message its type (Object.spec, JSONPatch); empty for a map.</summary>
    public string TypeName { get; init; } = "";

    public override object? Evaluate(CelScope scope)
    {
        scope.Budget.Take(30);
        var all = new List<(object Key, object? Value)>(entries.Length);
        foreach (var (keyNode, valueNode, isOptional) in entries)
        {
            var key = keyNode.Evaluate(scope);
            if (key is not (string or long or ulong or bool))
            {
                throw new CelException($"unsupported key type: {CelValues.TypeOf(key)}");
            }

            var value = valueNode.Evaluate(scope);
            if (isOptional)
            {
                if (value is not CelOptional { HasValue: true } some)
                {
                    continue;
                }

                value = some.Value;
            }

            all.Add((key, value));
        }

        return Members.MakeMap(all);
    }
}

internal sealed class AndNode(CelNode left, CelNode right, int position) : CelNode(position)
{
    public CelNode Left => left;

    public CelNode Right => right;

    public override object? Evaluate(CelScope scope)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        scope.Budget.Take(1);
        var a = Decide(left, scope, out var error);
        if (a == false)
        {
            return false;
        }

        var b = Decide(right, scope, out var other);
        return b == false ? false : a == true && b == true ? true : throw error ?? other!;
    }
}

internal sealed class OrNode(CelNode left, CelNode right, int position) : CelNode(position)
{
    public CelNode Left => left;

    public CelNode Right => right;

    public override object? Evaluate(CelScope scope)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        scope.Budget.Take(1);
        var a = Decide(left, scope, out var error);
        if (a == true)
        {
            return true;
        }

        var b = Decide(right, scope, out var other);
        return b == true ? true : a == false && b == false ? false : throw error ?? other!;
    }
}

internal sealed class ChoiceNode(CelNode condition, CelNode yes, CelNode no, int position) : CelNode(position)
{
    public CelNode Condition => condition;

    public CelNode Yes => yes;

    public CelNode No => no;

    public override object? Evaluate(CelScope scope)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        scope.Budget.Take(1);
        return condition.Evaluate(scope) is bool value ? (value ? yes : no).Evaluate(scope) : throw CelException.NoOverload("_?_:_");
    }
}

/// <summary>A function or operator. A method call on a host's object goes to the object.</summary>
internal sealed class CallNode(string name, CelFunction? function, CelNode? target, CelNode[] arguments, int position) : CelNode(position)
{
    public string Name => name;

    public CelNode? Target => target;

    public CelNode[] Arguments => arguments;

    public override object? Evaluate(CelScope scope)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        scope.Budget.Take(1);
        var offset = target is null ? 0 : 1;
        var values = new object?[arguments.Length + offset];
        if (target is not null)
        {
            values[0] = target.Evaluate(scope);
        }

        for (var i = 0; i < arguments.Length; i++)
        {
            values[i + offset] = arguments[i].Evaluate(scope);
        }

        if (target is not null && values[0] is ICelObject own && own.TryCall(name, values[1..], scope.Budget, out var result))
        {
            return result;
        }

        try
        {
            return function is null ? throw CelException.NoOverload(name) : function(values, scope.Budget);
        }
        catch (OverflowException e)
        {
            throw new CelException("integer overflow", e);
        }
    }
}

/// <summary>cel.bind(name, value, expression).</summary>
internal sealed class BindNode(string name, CelNode value, CelNode body, int position) : CelNode(position)
{
    public string Name => name;

    public CelNode Value => value;

    public CelNode Body => body;

    public override object? Evaluate(CelScope scope) => body.Evaluate(scope.With(name, value.Evaluate(scope)));
}

/// <summary>optional.optMap(x, expression) and optFlatMap.</summary>
internal sealed class OptionalMapNode(CelNode operand, string name, CelNode body, bool isFlat, int position) : CelNode(position)
{
    public CelNode Operand => operand;

    public string Name => name;

    public CelNode Body => body;

    public bool IsFlat => isFlat;

    public override object? Evaluate(CelScope scope)
    {
        if (operand.Evaluate(scope) is not CelOptional optional)
        {
            throw CelException.NoOverload("optMap");
        }

        if (!optional.HasValue)
        {
            return CelOptional.None;
        }

        var value = body.Evaluate(scope.With(name, optional.Value));
        return isFlat ? value as CelOptional ?? throw CelException.NoOverload("optFlatMap") : CelOptional.Of(value);
    }
}
