using Hardway.Api;
using Hardway.ApiServer.Errors;
using Hardway.Cel;

namespace Hardway.ApiServer.Custom;

/// <summary>
/// A schema's rules in CEL (x-kubernetes-validations), compiled, in the shape of the schema. Rules that name oldSelf are asked only where there is
/// an old value; others not again for what has not changed (KEP-4008). Immutable, safe for all threads.
/// </summary>
internal sealed class SchemaRules
{
    /// <summary>The work of one evaluation, and of all for one object.</summary>
    private const long CallLimit = 1_000_000;
    private const long Limit = 10_000_000;

    private readonly StructuralSchema _schema;
    private readonly List<CompiledRule> _rules = [];
    private readonly Dictionary<string, SchemaRules> _properties = new(StringComparer.Ordinal);
    private readonly SchemaRules? _items;
    private readonly SchemaRules? _additional;
    private readonly bool _isRoot;

    private SchemaRules(StructuralSchema schema, bool isRoot)
    {
        _schema = schema;
        _isRoot = isRoot;
        var self = schema.Rules.Count > 0 ? SchemaTypes.Of(schema, isRoot) : null;
        foreach (var rule in self is null ? [] : schema.Rules)
        {
            var faults = new List<RuleFault>();
            // What does not compile was refused when it was written; of an older definition it says nothing.
            if (CompiledRule.Compile(rule, self!, faults) is { } compiled)
            {
                _rules.Add(compiled);
            }
        }

        foreach (var (name, property) in schema.Properties.Where(p => p.Value.HasRules))
        {
            _properties[name] = new SchemaRules(property, false);
        }

        _items = schema.Items?.HasRules == true ? new SchemaRules(schema.Items, false) : null;
        _additional = schema.Additional?.HasRules == true ? new SchemaRules(schema.Additional, false) : null;
    }

    /// <summary>Null for a schema without any.</summary>
    public static SchemaRules? OfRoot(StructuralSchema schema) => schema.HasRules ? new SchemaRules(schema, true) : null;

    /// <summary>Of a part: a default that must hold as well.</summary>
    public static SchemaRules? OfPart(StructuralSchema schema) => schema.HasRules ? new SchemaRules(schema, false) : null;

    public void Validate(object? value, object? old, bool hasOld, FieldPath path, ErrorList errors) =>
        Walk(value, old, hasOld, path, errors, new CelBudget(Limit));

    /// <summary>False when the work allowed is used up.</summary>
    private bool Walk(object? value, object? old, bool hasOld, FieldPath path, ErrorList errors, CelBudget budget)
    {
        if (value is null)
        {
            return true;
        }

        var unchanged = hasOld && ApiValues.TreesEqual(value, old);
        if (_rules.Count > 0)
        {
            var variables = new Dictionary<string, object?>(StringComparer.Ordinal) { ["self"] = SchemaValues.Of(value, _schema, _isRoot) };
            var before = hasOld ? SchemaValues.Of(old, _schema, _isRoot) : null;
            foreach (var rule in _rules)
            {
                var isOptional = rule.Rule.OptionalOldSelf == true;
                if (rule.IsTransition ? !hasOld && !isOptional : unchanged)
                {
                    continue;
                }

                variables["oldSelf"] = !isOptional ? before : hasOld ? CelOptional.Of(before) : CelOptional.None;
                if (!Judge(rule, value, variables, path, errors, budget))
                {
                    return false;
                }
            }
        }

        return value switch
        {
            Dictionary<string, object?> map => Fields(map, hasOld ? old as Dictionary<string, object?> : null, path, errors, budget),
            List<object?> list when _items is not null => Items(list, hasOld ? old as List<object?> : null, path, errors, budget),
            _ => true,
        };
    }

    private bool Fields(Dictionary<string, object?> map, Dictionary<string, object?>? old, FieldPath path, ErrorList errors, CelBudget budget)
    {
        if (_properties.Count == 0 && _additional is null)
        {
            return true;
        }

        foreach (var (key, value) in map)
        {
            var isProperty = _schema.Properties.ContainsKey(key);
            if ((isProperty ? _properties.GetValueOrDefault(key) : _additional) is not { } rules)
            {
                continue;
            }

            object? before = null;
            var has = old?.TryGetValue(key, out before) == true && before is not null;
            if (!rules.Walk(value, before, has, isProperty ? path.Child(key) : path.Key(key), errors, budget))
            {
                return false;
            }
        }

        return true;
    }

    private bool Items(List<object?> list, List<object?>? old, FieldPath path, ErrorList errors, CelBudget budget)
    {
        var former = ListTypes.Index(old, _schema);
        for (var i = 0; i < list.Count; i++)
        {
            object? before = null;
            var has = former?.TryGetValue(ListTypes.TextOf(list[i], _schema), out before) == true;
            if (!_items!.Walk(list[i], before, has, path.Index(i), errors, budget))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Judge(CompiledRule rule, object? value, Dictionary<string, object?> variables, FieldPath path, ErrorList errors, CelBudget budget)
    {
        var one = new CelBudget(Math.Min(CallLimit, budget.Left));
        try
        {
            var before = one.Left;
            var holds = rule.Program.Evaluate(variables, one);
            budget.Take(before - one.Left);
            if (holds is not true)
            {
                Refuse(rule, value, variables, path, errors, budget);
            }

            return true;
        }
        catch (CelBudgetException)
        {
            errors.Invalid(path, Shown(value), budget.Left < CallLimit
                ? "validation failed due to running out of cost budget, no further validation rules will be run"
                : $"call cost exceeds limit for rule: {rule.Rule.Rule}");
            return false;
        }
        catch (CelException e)
        {
            errors.Invalid(path, Shown(value), $"{e.Message} evaluating rule: {Named(rule.Rule)}");
            return true;
        }
    }

    private static void Refuse(CompiledRule rule, object? value, Dictionary<string, object?> variables, FieldPath path, ErrorList errors, CelBudget budget)
    {
        var text = MessageOf(rule, variables, budget);
        var at = RulePath.Append(path, rule.Rule.FieldPath);
        switch (rule.Rule.Reason)
        {
            case CauseReason.Required:
                errors.Required(at, text);
                break;
            case CauseReason.Forbidden:
                errors.Forbidden(at, text);
                break;
            case CauseReason.Duplicate:
                errors.Duplicate(at, Shown(value));
                break;
            default:
                errors.Invalid(at, Shown(value), text);
                break;
        }
    }

    private static string MessageOf(CompiledRule rule, Dictionary<string, object?> variables, CelBudget budget)
    {
        if (rule.Message is not null)
        {
            try
            {
                if (rule.Message.Evaluate(variables, budget) is string text && text.Trim() is { Length: > 0 and <= 5120 } trimmed && !trimmed.Contains('\n', StringComparison.Ordinal))
                {
                    return trimmed;
                }
            }
            catch (CelException)
            {
                // The plain message then.
            }
        }

        return Named(rule.Rule);
    }

    private static string Named(SchemaRule rule) => rule.Message.Trim() is { Length: > 0 } message ? message : "failed rule: " + rule.Rule.Trim();

    private static string Shown(object? value) => value switch
    {
        Dictionary<string, object?> => "object",
        List<object?> => "array",
        _ => value?.ToString() ?? "null",
    };
}
