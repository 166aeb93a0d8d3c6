using Hardway.Api.Networking.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Networking;

/// <summary>The ranges of Service addresses: one, or one of each family. A range stays; a single one may get a second beside it.</summary>
internal sealed class ServiceCIDRRules : KindRules<ServiceCIDR>
{
    private static readonly FieldPath s_cidrs = FieldPath.Spec.Child("cidrs");

    public override bool HasStatus => true;

    public override IReadOnlyList<TableColumn> Columns => [new("CIDRs"), new("Age")];

    protected override void Validate(RuleContext context, ServiceCIDR value, ErrorList errors)
    {
        var ranges = value.Spec.Cidrs ?? [];
        if (ranges.Count == 0)
        {
            errors.Required(s_cidrs, "at least one range is needed");
        }
        else if (ranges.Count > 2)
        {
            errors.Invalid(s_cidrs, string.Join(",", ranges), "may only hold up to 2 values");
        }
        else if (ranges.Count == 2 && IsSix(ranges[0]) == IsSix(ranges[1]))
        {
            errors.Invalid(s_cidrs, string.Join(",", ranges), "may hold one range of each IP family");
        }

        for (var i = 0; i < ranges.Count; i++)
        {
            Range(errors, s_cidrs.Index(i), ranges[i]);
        }
    }

    protected override void ValidateUpdate(RuleContext context, ServiceCIDR value, ServiceCIDR old, ErrorList errors)
    {
        if (context.Subresource == "status")
        {
            return;
        }

        var (now, then) = (value.Spec.Cidrs ?? [], old.Spec.Cidrs ?? []);
        if (now.Count < then.Count)
        {
            errors.Invalid(s_cidrs, string.Join(",", now), "a range cannot be taken away");
            return;
        }

        for (var i = 0; i < then.Count; i++)
        {
            if (now[i] != then[i])
            {
                errors.Invalid(s_cidrs.Index(i), now[i], "field is immutable");
            }
        }

        if (now.Count > then.Count)
        {
            Validate(context, value, errors);
        }
    }

    protected override IReadOnlyList<object?> Cells(ServiceCIDR value, DateTimeOffset now) =>
        [value.Metadata.Name, string.Join(",", value.Spec.Cidrs ?? []), Ages.Since(value.Metadata.CreationTimestamp, now)];

    /// <summary>New ranges are written in their one form: without host bits, and IPv6 as RFC 5952 writes it.</summary>
    private static void Range(ErrorList errors, FieldPath path, string text)
    {
        if (!IpForms.TryParseRange(text, out var range))
        {
            errors.Invalid(path, text, "is no address range such as 10.32.0.0/24 or fd00:10:32::/112");
        }
        else if (range.ToString() != text)
        {
            errors.Invalid(path, text, $"must be in canonical form (\"{range}\")");
        }
    }

    private static bool IsSix(string range) => range.Contains(':', StringComparison.Ordinal);
}
