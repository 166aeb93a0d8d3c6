using System.Collections;
using System.Runtime.CompilerServices;
using Hardway.Cel.Functions;

namespace Hardway.Cel.Syntax;

internal enum ComprehensionKind
{
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
    TransformList,
    TransformMap,
    TransformMapEntry,
}

/// <summary>
/// A macro over a list's values or a map's keys, with one variable, or two (index and value, key and value). Errors in one round of all and exists
/// are forgotten when another round decides.
/// </summary>
internal sealed class ComprehensionNode(ComprehensionKind kind, CelNode range, string first, string? second, CelNode? condition, CelNode body, int position) : CelNode(position)
{
    public ComprehensionKind Kind => kind;

    public CelNode Range => range;

    public string First => first;

    public string? Second => second;

    public CelNode? Condition => condition;

    public CelNode Body => body;

    public override object? Evaluate(CelScope scope)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        scope.Budget.Take(1);
        var over = range.Evaluate(scope);
        var outer = scope.With(first, null);
        var inner = second is null ? outer : outer.With(second, null);
        var rounds = Rounds(over, outer, inner);
        return kind switch
        {
            ComprehensionKind.All => Quantify(rounds, inner, whenFound: false),
            ComprehensionKind.Exists => Quantify(rounds, inner, whenFound: true),
            ComprehensionKind.ExistsOne => One(rounds, inner),
            ComprehensionKind.TransformMap or ComprehensionKind.TransformMapEntry => Entries(rounds, inner),
            _ => Collect(rounds, inner),
        };
    }

    /// <summary>Sets the variables for each round and gives what is gone over.</summary>
    private IEnumerable<object?> Rounds(object? over, CelScope outer, CelScope inner)
    {
        switch (over)
        {
            case IDictionary map:
                foreach (DictionaryEntry entry in map)
                {
                    outer.Budget.Take(2);
                    outer.Value = entry.Key;
                    if (second is not null)
                    {
                        inner.Value = entry.Value;
                    }

                    yield return entry.Key;
                }

                break;
            case IList list and not byte[]:
                for (var i = 0; i < list.Count; i++)
                {
                    outer.Budget.Take(2);
                    outer.Value = second is null ? list[i] : (long)i;
                    if (second is not null)
                    {
                        inner.Value = list[i];
                    }

                    yield return list[i];
                }

                break;
            default:
                throw new CelException($"expression of type '{CelValues.TypeOf(over)}' cannot be range of a comprehension (must be list, map, or dynamic)");
        }
    }

    private object Quantify(IEnumerable<object?> rounds, CelScope scope, bool whenFound)
    {
        CelException? error = null;
        foreach (var _ in rounds)
        {
            var value = Decide(body, scope, out var wrong);
            if (value == whenFound)
            {
                return whenFound;
            }

            error ??= wrong;
        }

        return error is null ? !whenFound : throw error;
    }

    private bool One(IEnumerable<object?> rounds, CelScope scope)
    {
        var count = 0;
        foreach (var _ in rounds)
        {
            count += body.Evaluate(scope) is bool value ? value ? 1 : 0 : throw CelException.NoOverload("exists_one");
        }

        return count == 1;
    }

    private List<object?> Collect(IEnumerable<object?> rounds, CelScope scope)
    {
        var list = new List<object?>();
        foreach (var item in rounds)
        {
            if (kind == ComprehensionKind.Filter)
            {
                if (Fits(body, scope))
                {
                    list.Add(item);
                }
            }
            else if (condition is null || Fits(condition, scope))
            {
                list.Add(body.Evaluate(scope));
            }
        }

        return list;
    }

    private IDictionary Entries(IEnumerable<object?> rounds, CelScope scope)
    {
        var all = new List<(object, object?)>();
        foreach (var _ in rounds)
        {
            if (condition is not null && !Fits(condition, scope))
            {
                continue;
            }

            var value = body.Evaluate(scope);
            if (kind == ComprehensionKind.TransformMap)
            {
                all.Add((scope.Find(first)!, value));
            }
            else if (value is IDictionary { Count: 1 } single)
            {
                foreach (DictionaryEntry entry in single)
                {
                    all.Add((entry.Key, entry.Value));
                }
            }
            else
            {
                throw CelException.NoOverload("transformMapEntry");
            }
        }

        return Members.MakeMap(all);
    }

    private static bool Fits(CelNode node, CelScope scope) => node.Evaluate(scope) is bool value ? value : throw CelException.NoOverload("a filter that is no bool");
}
