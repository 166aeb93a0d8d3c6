using Hardway.ApiServer.Custom;
using Hardway.ApiServer.Errors;
using Hardway.Cel;

namespace Hardway.ApiServer.Rules.ApiExtensions;

/// <summary>
/// x-kubernetes-validations in a definition: rules compile, their types fit the schema, old values can be found, and all of them together are not
/// more work than the server does for one object. Rules that the stored definition has already may stay, whatever they cost.
/// </summary>
internal static class SchemaRuleRules
{
    /// <summary>The work of one rule over all the places where it applies, and of all rules of a schema.</summary>
    private const double MostOfOne = 10_000_000;
    private const double MostOfAll = 100_000_000;

    private static readonly string[] s_reasons = [CauseReason.Required, CauseReason.Invalid, CauseReason.Forbidden, CauseReason.Duplicate];

    public static void Validate(StructuralSchema schema, Dictionary<string, object?>? old, FieldPath path, ErrorList errors)
    {
        if (!schema.HasRules)
        {
            return;
        }

        var costs = new List<(FieldPath Path, double Cost)>();
        var kept = old is null ? [] : Known(new StructuralSchema(old)).ToHashSet();
        Part(schema, new Place(path, 1, true, true), kept, costs, errors);
        var total = costs.Sum(c => c.Cost);
        if (total <= MostOfAll)
        {
            return;
        }

        foreach (var (at, cost) in costs.OrderByDescending(c => c.Cost).Take(4).Where(c => c.Cost > 0))
        {
            errors.Forbidden(at, "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema");
        }

        errors.Forbidden(path, $"x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by {Factor(total / MostOfAll)} (try simplifying the rules, or adding maxItems, maxProperties, and maxLength)");
    }

    private static IEnumerable<string> Known(StructuralSchema schema) => schema.Rules.Select(r => r.Rule)
        .Concat(schema.Properties.Values.SelectMany(Known)).Concat(schema.Items is null ? [] : Known(schema.Items)).Concat(schema.Additional is null ? [] : Known(schema.Additional));

    private static void Part(StructuralSchema schema, Place place, HashSet<string> kept, List<(FieldPath, double)> costs, ErrorList errors)
    {
        if (schema.Rules.Count > 0)
        {
            var self = SchemaTypes.Of(schema, place.IsRoot) ?? CelDecl.Dyn;
            for (var i = 0; i < schema.Rules.Count; i++)
            {
                Rule(schema, schema.Rules[i], self, place with { Path = place.Path.Child("x-kubernetes-validations").Index(i) }, kept, costs, errors);
            }
        }

        foreach (var (name, property) in schema.Properties.Where(p => p.Value.HasRules))
        {
            Part(property, place with { Path = place.Path.Child("properties").Key(name), IsRoot = false, IsCorrelatable = place.IsCorrelatable && schema.MapType != "atomic" }, kept, costs, errors);
        }

        if (schema.Items is { HasRules: true } items)
        {
            Part(items, new Place(place.Path.Child("items"), place.Times * SchemaTypes.ListSize(schema), false, place.IsCorrelatable && schema.ListType == "map"), kept, costs, errors);
        }

        if (schema.Additional is { HasRules: true } additional)
        {
            Part(additional, new Place(place.Path.Child("additionalProperties"), place.Times * SchemaTypes.ListSize(schema), false, place.IsCorrelatable && schema.MapType != "atomic"), kept, costs, errors);
        }
    }

    private static void Rule(StructuralSchema schema, SchemaRule rule, CelDecl self, Place place, HashSet<string> kept, List<(FieldPath, double)> costs, ErrorList errors)
    {
        var path = place.Path;
        Texts(schema, rule, path, errors);
        if (rule.Rule.Trim().Length == 0)
        {
            errors.Required(path.Child("rule"), "rule is not specified");
            return;
        }

        var faults = new List<RuleFault>();
        var compiled = CompiledRule.Compile(rule, self, faults);
        foreach (var fault in faults)
        {
            errors.Invalid(path.Child(fault.Field), fault.Field == "messageExpression" ? rule.MessageExpression : rule.Rule, fault.Message);
        }

        if (compiled is null)
        {
            return;
        }

        if (compiled.IsTransition && !place.IsCorrelatable)
        {
            errors.Invalid(path.Child("rule"), rule.Rule, "oldSelf cannot be used on the uncorrelatable portion of the schema");
        }

        if (!kept.Contains(rule.Rule))
        {
            Afford(path.Child("rule"), compiled.Cost * place.Times, costs, errors);
            if (compiled.Message is not null)
            {
                Afford(path.Child("messageExpression"), compiled.MessageCost * place.Times, costs, errors);
            }
        }
    }

    private static void Afford(FieldPath path, double cost, List<(FieldPath, double)> costs, ErrorList errors)
    {
        costs.Add((path, cost));
        if (cost > MostOfOne)
        {
            errors.Forbidden(path, $"estimated cost exceeds budget by {Factor(cost / MostOfOne)} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)");
        }
    }

    private static string Factor(double times) => times > 100 ? "factor of more than 100x" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"factor of {times:0.0}x");

    private static void Texts(StructuralSchema schema, SchemaRule rule, FieldPath path, ErrorList errors)
    {
        var message = rule.Message.Trim();
        if (rule.Message.Length > 0 && message.Length == 0)
        {
            errors.Invalid(path.Child("message"), rule.Message, "message must be non-empty if specified");
        }
        else if (message.AsSpan().IndexOfAny('\n', '\r') >= 0)
        {
            errors.Invalid(path.Child("message"), rule.Message, "message must not contain line breaks");
        }
        else if (message.Length == 0 && rule.Rule.Trim().AsSpan().IndexOfAny('\n', '\r') >= 0)
        {
            errors.Required(path.Child("message"), "message must be specified if rule contains line breaks");
        }

        if (rule.MessageExpression.Length > 0 && rule.MessageExpression.Trim().Length == 0)
        {
            errors.Required(path.Child("messageExpression"), "messageExpression must be non-empty if specified");
        }

        if (rule.Reason.Length > 0 && !s_reasons.Contains(rule.Reason))
        {
            errors.NotSupported(path.Child("reason"), rule.Reason, s_reasons);
        }

        if (rule.FieldPath.Length > 0 && (RulePath.Parse(rule.FieldPath) is not { } names || RulePath.Find(schema, names) is null))
        {
            errors.Invalid(path.Child("fieldPath"), rule.FieldPath, "fieldPath must be a valid path");
        }
    }

    /// <param name="Path">Where the schema stands.</param>
    /// <param name="Times">How often it may apply in one object.</param>
    /// <param name="IsRoot">The object itself.</param>
    /// <param name="IsCorrelatable">A value's former self can be found.</param>
    private sealed record Place(FieldPath Path, double Times, bool IsRoot, bool IsCorrelatable);
}
