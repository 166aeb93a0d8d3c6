using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Core;

internal sealed class LimitRangeRules : KindRules<LimitRange>
{
    public override IReadOnlyList<TableColumn> Columns => [new("Created At", "date")];

    protected override void Default(LimitRange value)
    {
        foreach (var limit in (value.Spec.Limits ?? []).Where(l => l.Type == "Container"))
        {
            // A default limit is the maximum; a default request is the default limit, else the minimum.
            foreach (var (name, max) in limit.Max ?? [])
            {
                (limit.Default ??= []).TryAdd(name, max);
            }

            foreach (var (name, given) in limit.Default ?? [])
            {
                (limit.DefaultRequest ??= []).TryAdd(name, given);
            }

            foreach (var (name, min) in limit.Min ?? [])
            {
                (limit.DefaultRequest ??= []).TryAdd(name, min);
            }
        }
    }

    protected override void Validate(RuleContext context, LimitRange value, ErrorList errors)
    {
        var types = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < value.Spec.Limits?.Count; i++)
        {
            var limit = value.Spec.Limits[i];
            var at = FieldPath.Spec.Child("limits").Index(i);
            if (limit.Type is not ("Pod" or "Container" or "PersistentVolumeClaim"))
            {
                Names.CheckLabelKey(errors, at.Child("type"), limit.Type);
                if (Names.IsQualifiedName(limit.Type) && !limit.Type.Contains('/'))
                {
                    errors.Invalid(at.Child("type"), limit.Type, "must be a standard limit type or fully qualified");
                }
            }

            if (!types.Add(limit.Type))
            {
                errors.Duplicate(at.Child("type"), limit.Type);
            }

            Item(limit, at, errors);
        }
    }

    protected override IReadOnlyList<object?> Cells(LimitRange value, DateTimeOffset now) =>
        [value.Metadata.Name, value.Metadata.CreationTimestamp is { } time ? ApiTime.Format(time) : ""];

    private static void Item(LimitRangeItem limit, FieldPath path, ErrorList errors)
    {
        if (limit.Type == "Pod")
        {
            if (limit.Default is { Count: > 0 })
            {
                errors.Forbidden(path.Child("default"), "may not be specified when `type` is 'Pod'");
            }

            if (limit.DefaultRequest is { Count: > 0 })
            {
                errors.Forbidden(path.Child("defaultRequest"), "may not be specified when `type` is 'Pod'");
            }
        }

        if (limit.Type == "PersistentVolumeClaim" && limit.Min?.ContainsKey("storage") != true && limit.Max?.ContainsKey("storage") != true)
        {
            errors.Required(path.Child("limits"), "either minimum or maximum storage value is required, but neither was provided");
        }

        var names = new[] { limit.Min, limit.Max, limit.Default, limit.DefaultRequest, limit.MaxLimitRequestRatio }.SelectMany(l => l?.Keys ?? Enumerable.Empty<string>()).Distinct(StringComparer.Ordinal);
        foreach (var name in names)
        {
            Amounts(limit, name, path, errors);
        }
    }

    private static void Amounts(LimitRangeItem limit, string name, FieldPath path, ErrorList errors)
    {
        var min = Of(limit.Min, name);
        var max = Of(limit.Max, name);
        var given = Of(limit.Default, name);
        var request = Of(limit.DefaultRequest, name);
        Above(errors, path.Child("min").Key(name), min, max, "max");
        Above(errors, path.Child("defaultRequest").Key(name), request, max, "max");
        Above(errors, path.Child("default").Key(name), given, max, "max");
        Above(errors, path.Child("defaultRequest").Key(name), request, given, "default limit");
        Above(errors, path.Child("defaultRequest").Key(name), min, request, "default request", shown: request);
        Above(errors, path.Child("default").Key(name), min, given, "default", shown: given);
        if (Of(limit.MaxLimitRequestRatio, name) is { } ratio)
        {
            if (ratio < Quantity.FromValue(1))
            {
                errors.Invalid(path.Child("maxLimitRequestRatio").Key(name), ratio.ToString(), "ratio must be at least 1");
            }
            else if (min is { } low && max is { } high && low.Sign > 0 && ratio.ToDouble() > high.ToDouble() / low.ToDouble())
            {
                errors.Invalid(path.Child("maxLimitRequestRatio").Key(name), ratio.ToString(), "ratio is greater than max/min");
            }
        }
    }

    private static void Above(ErrorList errors, FieldPath path, Quantity? value, Quantity? bound, string what, Quantity? shown = null)
    {
        if (value > bound)
        {
            errors.Invalid(path, (shown ?? value).ToString(), shown is null ? $"is greater than the {what} {bound}" : $"is less than the minimum {value}");
        }
    }

    private static Quantity? Of(Dictionary<string, Quantity>? list, string name) => list is not null && list.TryGetValue(name, out var value) ? value : null;
}
