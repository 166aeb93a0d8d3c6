using Hardway.Api.Storage.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Storage;

internal sealed class VolumeAttachmentRules : KindRules<VolumeAttachment>
{
    private const int MostMetadata = 256 << 10;
    private const int LongestMessage = 1024;

    public override bool HasStatus => true;

    public override bool AllowUnconditionalUpdate => false;

    public override bool ReturnsDeletedObject => true;

    public override IReadOnlyList<TableColumn> Columns => [new("Attacher", Format: "name"), new("PV"), new("Node"), new("Attached", "boolean"), new("Age")];

    protected override void Validate(RuleContext context, VolumeAttachment value, ErrorList errors)
    {
        var spec = value.Spec;
        StorageNames.CheckDriver(errors, FieldPath.Spec.Child("attacher"), spec.Attacher);
        Names.CheckDnsSubdomain(errors, FieldPath.Spec.Child("nodeName"), spec.NodeName);
        var path = FieldPath.Spec.Child("source");
        switch (spec.Source.PersistentVolumeName, spec.Source.InlineVolumeSpec)
        {
            case (null, null):
                errors.Required(path, "exactly one of inlineVolumeSpec and persistentVolumeName is needed");
                break;
            case ({ Length: 0 }, null):
                errors.Required(path.Child("persistentVolumeName"), "must not be empty");
                break;
            case (not null, not null):
                errors.Forbidden(path, "only one of inlineVolumeSpec and persistentVolumeName may be given");
                break;
        }

        CheckStatus(value.Status, errors);
    }

    protected override void ValidateUpdate(RuleContext context, VolumeAttachment value, VolumeAttachment old, ErrorList errors)
    {
        Validate(context, value, errors);
        WorkloadValidation.Immutable(errors, FieldPath.Spec, value.Spec, old.Spec);
    }

    protected override IReadOnlyList<object?> Cells(VolumeAttachment value, DateTimeOffset now) =>
        [value.Metadata.Name, value.Spec.Attacher, value.Spec.Source.PersistentVolumeName ?? "", value.Spec.NodeName, value.Status.Attached, Ages.Since(value.Metadata.CreationTimestamp, now)];

    private static void CheckStatus(VolumeAttachmentStatus status, ErrorList errors)
    {
        var size = (status.AttachmentMetadata ?? []).Sum(m => m.Key.Length + m.Value.Length);
        if (size > MostMetadata)
        {
            errors.TooLong(FieldPath.Status.Child("attachmentMetadata"), MostMetadata);
        }

        CheckError(status.AttachError, FieldPath.Status.Child("attachError"), errors);
        CheckError(status.DetachError, FieldPath.Status.Child("detachError"), errors);
    }

    private static void CheckError(VolumeError? error, FieldPath path, ErrorList errors)
    {
        if (error?.Message.Length > LongestMessage)
        {
            errors.TooLong(path.Child("message"), LongestMessage, "characters");
        }
    }
}
