using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.Core;

namespace Hardway.ApiServer.Rules.Storage;

internal sealed class PersistentVolumeRules : KindRules<PersistentVolume>
{
    public override bool HasStatus => true;

    public override bool ReturnsDeletedObject => true;

    public override IReadOnlyList<TableColumn> Columns =>
    [
        new("Capacity"), new("Access Modes"), new("Reclaim Policy"), new("Status"), new("Claim"), new("StorageClass"), new("VolumeAttributesClass"), new("Reason"), new("Age"), new("VolumeMode", Priority: 1),
    ];

    protected override void Default(PersistentVolume value)
    {
        value.Status.Phase = value.Status.Phase.Length == 0 ? "Pending" : value.Status.Phase;
        value.Spec.PersistentVolumeReclaimPolicy = value.Spec.PersistentVolumeReclaimPolicy.Length == 0 ? "Retain" : value.Spec.PersistentVolumeReclaimPolicy;
        value.Spec.VolumeMode ??= "Filesystem";
        if (value.Spec.HostPath is { } host)
        {
            host.Type ??= "";
        }
    }

    protected override void PrepareForCreate(RuleContext context, PersistentVolume value) =>
        value.Status = new PersistentVolumeStatus { Phase = "Pending", LastPhaseTransitionTime = context.Now };

    protected override void PrepareForUpdate(RuleContext context, PersistentVolume value, PersistentVolume old)
    {
        if (context.Subresource == "status" && value.Status.Phase != old.Status.Phase && value.Status.LastPhaseTransitionTime == old.Status.LastPhaseTransitionTime)
        {
            value.Status.LastPhaseTransitionTime = context.Now;
        }
    }

    protected override void Validate(RuleContext context, PersistentVolume value, ErrorList errors)
    {
        var spec = value.Spec;
        if (spec.AccessModes is not { Count: > 0 })
        {
            errors.Required(FieldPath.Spec.Child("accessModes"));
        }

        ClaimSpecValidation.AccessModes(spec.AccessModes, FieldPath.Spec.Child("accessModes"), errors);
        SchemaValidation.Enums(spec, FieldPath.Spec, errors, "operator", "accessModes");
        if (spec.Capacity is not { Count: > 0 })
        {
            errors.Required(FieldPath.Spec.Child("capacity"));
        }

        if (spec.Capacity is null || !spec.Capacity.TryGetValue("storage", out var size) || spec.Capacity.Count > 1)
        {
            errors.NotSupported(FieldPath.Spec.Child("capacity"), string.Join(",", spec.Capacity?.Keys ?? Enumerable.Empty<string>()), "storage");
        }
        else if (size.Sign <= 0)
        {
            errors.Invalid(FieldPath.Spec.Child("capacity").Key("storage"), size.ToString(), "must be greater than zero");
        }

        PersistentVolumeSources.Validate(spec, errors);
        if (spec.StorageClassName.Length > 0)
        {
            Names.CheckDnsSubdomain(errors, FieldPath.Spec.Child("storageClassName"), spec.StorageClassName);
        }

        if (spec.NodeAffinity?.Required is { } required)
        {
            AffinityValidation.NodeSelector(required, FieldPath.Spec.Child("nodeAffinity", "required"), errors);
        }
        else if (spec.Local is not null)
        {
            errors.Required(FieldPath.Spec.Child("nodeAffinity"), "Local volume requires node affinity");
        }
    }

    protected override void ValidateUpdate(RuleContext context, PersistentVolume value, PersistentVolume old, ErrorList errors)
    {
        if (context.Subresource == "status")
        {
            return;
        }

        // Upstream judges an updated volume twice.
        Validate(context, value, errors);
        if (errors.Any)
        {
            Validate(context, value, errors);
        }

        foreach (var field in PersistentVolumeSources.Fields)
        {
            if (!ApiStruct.DeepEquals((ApiStruct?)value.Spec.Get(field.Ordinal), (ApiStruct?)old.Spec.Get(field.Ordinal)))
            {
                errors.Forbidden(FieldPath.Spec.Child("persistentvolumesource"), "spec.persistentvolumesource is immutable after creation");
                break;
            }
        }

        WorkloadValidation.Immutable(errors, FieldPath.Of("volumeMode"), value.Spec.VolumeMode, old.Spec.VolumeMode);
        if (old.Spec.NodeAffinity is not null)
        {
            WorkloadValidation.Immutable(errors, FieldPath.Spec.Child("nodeAffinity"), value.Spec.NodeAffinity, old.Spec.NodeAffinity);
        }
    }

    protected override IReadOnlyList<object?> Cells(PersistentVolume value, DateTimeOffset now)
    {
        var claim = value.Spec.ClaimRef is { } reference ? reference.Namespace + "/" + reference.Name : "";
        var phase = value.Metadata.DeletionTimestamp is not null ? "Terminating" : value.Status.Phase;
        return
        [
            value.Metadata.Name, value.Spec.Capacity?.TryGetValue("storage", out var size) == true ? size.ToString() : "", TableText.AccessModes(value.Spec.AccessModes), value.Spec.PersistentVolumeReclaimPolicy, phase,
            claim, value.Spec.StorageClassName, value.Spec.VolumeAttributesClassName ?? "<unset>", value.Status.Reason, Ages.Since(value.Metadata.CreationTimestamp, now), value.Spec.VolumeMode ?? "<unset>",
        ];
    }
}
