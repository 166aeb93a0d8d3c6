using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Core;

internal sealed class ResourceQuotaRules : KindRules<ResourceQuota>
{
    private static readonly string[] s_scopes =
        ["BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating", "VolumeAttributesClass"];

    public override bool HasStatus => true;

    public override bool ReturnsDeletedObject => true;

    public override IReadOnlyList<TableColumn> Columns => [new("Request"), new("Limit"), new("Age")];

    protected override void Validate(RuleContext context, ResourceQuota value, ErrorList errors)
    {
        foreach (var (name, amount) in value.Spec.Hard ?? [])
        {
            var at = FieldPath.Spec.Child("hard").Key(name);
            if (!Names.IsQualifiedName(name))
            {
                Names.CheckLabelKey(errors, at, name);
            }

            if (amount.Sign < 0)
            {
                errors.Invalid(at, amount.ToString(), "must be greater than or equal to 0");
            }
        }

        for (var i = 0; i < value.Spec.Scopes?.Count; i++)
        {
            if (!s_scopes.Contains(value.Spec.Scopes[i]))
            {
                errors.Invalid(FieldPath.Spec.Child("scopes"), string.Join(",", value.Spec.Scopes), "unsupported scope");
                break;
            }
        }

        if (Both(value, "BestEffort", "NotBestEffort") || Both(value, "Terminating", "NotTerminating"))
        {
            errors.Invalid(FieldPath.Spec.Child("scopes"), string.Join(",", value.Spec.Scopes!), "conflicting scopes");
        }
    }

    protected override void ValidateUpdate(RuleContext context, ResourceQuota value, ResourceQuota old, ErrorList errors)
    {
        if (context.Subresource == "status")
        {
            return;
        }

        Validate(context, value, errors);
        if (!(value.Spec.Scopes ?? []).ToHashSet(StringComparer.Ordinal).SetEquals(old.Spec.Scopes ?? []))
        {
            errors.Invalid(FieldPath.Spec.Child("scopes"), string.Join(",", value.Spec.Scopes ?? []), "field is immutable");
        }
    }

    protected override IReadOnlyList<object?> Cells(ResourceQuota value, DateTimeOffset now)
    {
        var requests = new List<string>();
        var limits = new List<string>();
        foreach (var (name, hard) in (value.Status.Hard ?? []).OrderBy(h => h.Key, StringComparer.Ordinal))
        {
            var used = value.Status.Used?.TryGetValue(name, out var given) == true ? given : Quantity.Zero;
            (name.StartsWith("limits", StringComparison.Ordinal) ? limits : requests).Add($"{name}: {used}/{hard}");
        }

        return [value.Metadata.Name, string.Join(", ", requests), string.Join(", ", limits), Ages.Since(value.Metadata.CreationTimestamp, now)];
    }

    private static bool Both(ResourceQuota value, string a, string b) => value.Spec.Scopes?.Contains(a) == true && value.Spec.Scopes.Contains(b);
}
