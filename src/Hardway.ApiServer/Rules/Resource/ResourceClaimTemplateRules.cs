using Hardway.Api.Resource.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Resource;

internal sealed class ResourceClaimTemplateRules : KindRules<ResourceClaimTemplate>
{
    public override bool ReturnsDeletedObject => true;

    public override IReadOnlyList<TableColumn> Columns => [new("Age")];

    protected override void Default(ResourceClaimTemplate value) => DeviceClaimValidation.Default(value.Spec.Spec);

    protected override void Validate(RuleContext context, ResourceClaimTemplate value, ErrorList errors)
    {
        TemplateMetadata(value.Spec.Metadata, FieldPath.Spec.Child("metadata"), errors);
        DeviceClaimValidation.Validate(value.Spec.Spec, FieldPath.Spec.Child("spec"), errors);
    }

    protected override void ValidateUpdate(RuleContext context, ResourceClaimTemplate value, ResourceClaimTemplate old, ErrorList errors)
    {
        Validate(context, value, errors);
        WorkloadValidation.Immutable(errors, FieldPath.Spec, value.Spec, old.Spec);
    }

    protected override IReadOnlyList<object?> Cells(ResourceClaimTemplate value, DateTimeOffset now) => [value.Metadata.Name, Ages.Since(value.Metadata.CreationTimestamp, now)];

    /// <summary>Of the claims to come only labels and annotations can be said; the rest is made with them.</summary>
    private static void TemplateMetadata(Api.Meta.V1.ObjectMeta meta, FieldPath path, ErrorList errors)
    {
        foreach (var field in meta.StructSchema.Fields)
        {
            if (field.Name is not ("labels" or "annotations") && meta.Get(field.Ordinal) is not null)
            {
                errors.Forbidden(path.Child(field.Name), "cannot be set here");
            }
        }

        Names.CheckLabels(errors, path.Child("labels"), meta.Labels);
    }
}
