using Hardway.Api;
using Hardway.Api.Apps.V1;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.Core;

namespace Hardway.ApiServer.Rules.Apps;

internal sealed class ControllerRevisionRules : KindRules<ControllerRevision>
{
    public override IReadOnlyList<TableColumn> Columns => [new("Controller"), new("Revision"), new("Age")];

    protected override void Validate(RuleContext context, ControllerRevision value, ErrorList errors)
    {
        WorkloadValidation.Count(errors, FieldPath.Of("revision"), value.Revision);
        if (value.Data is null)
        {
            errors.Required(FieldPath.Of("data"), "data is mandatory");
        }
    }

    protected override void ValidateUpdate(RuleContext context, ControllerRevision value, ControllerRevision old, ErrorList errors)
    {
        Validate(context, value, errors);
        if (!ApiValues.TreesEqual(value.Data, old.Data))
        {
            errors.Invalid(FieldPath.Of("data"), "", "field is immutable");
        }
    }

    protected override IReadOnlyList<object?> Cells(ControllerRevision value, DateTimeOffset now)
    {
        var owner = value.Metadata.OwnerReferences?.Find(o => o.Controller == true);
        return [value.Metadata.Name, owner is null ? TableText.None : Owner(owner), value.Revision, Ages.Since(value.Metadata.CreationTimestamp, now)];
    }

    private static string Owner(Api.Meta.V1.OwnerReference owner)
    {
        var slash = owner.ApiVersion.IndexOf('/');
        return owner.Kind.ToLowerInvariant() + (slash > 0 ? "." + owner.ApiVersion[..slash] : "") + "/" + owner.Name;
    }
}
