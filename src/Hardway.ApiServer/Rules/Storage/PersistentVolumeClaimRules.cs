using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.Core;

namespace Hardway.ApiServer.Rules.Storage;

internal sealed class PersistentVolumeClaimRules : KindRules<PersistentVolumeClaim>
{
    public override bool HasStatus => true;

    public override bool ReturnsDeletedObject => true;

    public override IReadOnlyList<TableColumn> Columns =>
        [new("Status"), new("Volume"), new("Capacity"), new("Access Modes"), new("StorageClass"), new("VolumeAttributesClass"), new("Age"), new("VolumeMode", Priority: 1)];

    protected override void Default(PersistentVolumeClaim value)
    {
        value.Status.Phase = value.Status.Phase.Length == 0 ? "Pending" : value.Status.Phase;
        value.Spec.VolumeMode ??= "Filesystem";
    }

    protected override void PrepareForCreate(RuleContext context, PersistentVolumeClaim value)
    {
        value.Status = new PersistentVolumeClaimStatus { Phase = "Pending" };
        ClaimDataSource.Settle(value.Spec);
    }

    protected override void Validate(RuleContext context, PersistentVolumeClaim value, ErrorList errors)
    {
        ClaimSpecValidation.Validate(value.Spec, FieldPath.Spec, errors);
    }

    protected override void ValidateUpdate(RuleContext context, PersistentVolumeClaim value, PersistentVolumeClaim old, ErrorList errors)
    {
        if (context.Subresource == "status")
        {
            return;
        }

        Validate(context, value, errors);
        var expected = old.Spec.Clone();
        if (old.Spec.VolumeName.Length == 0)
        {
            expected.VolumeName = value.Spec.VolumeName;
        }

        if (old.Status.Phase == "Bound")
        {
            expected.Resources.Requests = value.Spec.Resources.Requests;
            expected.VolumeAttributesClassName = value.Spec.VolumeAttributesClassName;
        }

        expected.StorageClassName ??= value.Spec.StorageClassName;
        if (!ApiStruct.DeepEquals(expected, value.Spec))
        {
            errors.Forbidden(FieldPath.Spec, "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims");
        }

        Shrink(value, old, errors);
    }

    protected override IReadOnlyList<object?> Cells(PersistentVolumeClaim value, DateTimeOffset now)
    {
        var bound = value.Spec.VolumeName.Length > 0;
        return
        [
            value.Metadata.Name, value.Metadata.DeletionTimestamp is not null ? "Terminating" : value.Status.Phase, value.Spec.VolumeName,
            bound && value.Status.Capacity?.TryGetValue("storage", out var size) == true ? size.ToString() : bound ? "0" : "", bound ? TableText.AccessModes(value.Status.AccessModes) : "",
            value.Metadata.Annotations?.GetValueOrDefault("volume.beta.kubernetes.io/storage-class") ?? value.Spec.StorageClassName ?? "", value.Spec.VolumeAttributesClassName ?? "<unset>",
            Ages.Since(value.Metadata.CreationTimestamp, now), value.Spec.VolumeMode ?? "<unset>",
        ];
    }

    private static void Shrink(PersistentVolumeClaim value, PersistentVolumeClaim old, ErrorList errors)
    {
        if (value.Spec.Resources.Requests?.TryGetValue("storage", out var now) != true || old.Spec.Resources.Requests?.TryGetValue("storage", out var before) != true || now >= before)
        {
            return;
        }

        if (old.Status.Capacity?.TryGetValue("storage", out var capacity) == true && now < capacity)
        {
            errors.Forbidden(FieldPath.Spec.Child("resources", "requests", "storage"), "field can not be less than status.capacity");
        }
    }
}
