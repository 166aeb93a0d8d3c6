using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.Core;

namespace Hardway.ApiServer.Rules.Storage;

internal sealed class StorageClassRules : KindRules<StorageClass>
{
    public override bool ReturnsDeletedObject => true;

    public override IReadOnlyList<TableColumn> Columns => [new("Provisioner"), new("ReclaimPolicy"), new("VolumeBindingMode"), new("AllowVolumeExpansion"), new("Age")];

    protected override void Default(StorageClass value)
    {
        value.ReclaimPolicy ??= "Delete";
        value.VolumeBindingMode ??= "Immediate";
    }

    protected override void Validate(RuleContext context, StorageClass value, ErrorList errors)
    {
        if (value.Provisioner.Length == 0)
        {
            errors.Required(FieldPath.Of("provisioner"));
        }
        else if (!Names.IsQualifiedName(value.Provisioner.ToLowerInvariant()))
        {
            Names.CheckLabelKey(errors, FieldPath.Of("provisioner"), value.Provisioner);
        }

        if (value.ReclaimPolicy is { } reclaim && reclaim is not ("Delete" or "Retain"))
        {
            errors.NotSupported(FieldPath.Of("reclaimPolicy"), reclaim, "Delete", "Retain");
        }

        if (value.VolumeBindingMode is { } mode && mode is not ("Immediate" or "WaitForFirstConsumer"))
        {
            errors.NotSupported(FieldPath.Of("volumeBindingMode"), mode, "Immediate", "WaitForFirstConsumer");
        }

        if (value.Parameters?.Count > 512)
        {
            errors.TooLong(FieldPath.Of("parameters"), 512, "entries");
        }

        foreach (var key in value.Parameters?.Keys ?? Enumerable.Empty<string>())
        {
            if (key.Length == 0)
            {
                errors.Invalid(FieldPath.Of("parameters"), key, "field can not be empty");
            }
        }
    }

    protected override void ValidateUpdate(RuleContext context, StorageClass value, StorageClass old, ErrorList errors)
    {
        Validate(context, value, errors);
        if (!ApiValues.AreEqual(value.Parameters, old.Parameters, Shape.Map<string>(Shape.String)))
        {
            errors.Invalid(FieldPath.Of("parameters"), TableText.Of(value.Parameters), "field is immutable");
        }

        WorkloadValidation.Immutable(errors, FieldPath.Of("provisioner"), value.Provisioner, old.Provisioner);
        WorkloadValidation.Immutable(errors, FieldPath.Of("reclaimPolicy"), value.ReclaimPolicy, old.ReclaimPolicy);
        WorkloadValidation.Immutable(errors, FieldPath.Of("volumeBindingMode"), value.VolumeBindingMode, old.VolumeBindingMode);
    }

    protected override IReadOnlyList<object?> Cells(StorageClass value, DateTimeOffset now)
    {
        var isDefault = value.Metadata.Annotations?.GetValueOrDefault("storageclass.kubernetes.io/is-default-class") == "true";
        return
        [
            isDefault ? value.Metadata.Name + " (default)" : value.Metadata.Name, value.Provisioner, value.ReclaimPolicy ?? "Delete", value.VolumeBindingMode ?? "Immediate",
            value.AllowVolumeExpansion == true, Ages.Since(value.Metadata.CreationTimestamp, now),
        ];
    }
}
