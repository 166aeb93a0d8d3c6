using Hardway.Api;
using Hardway.Api.Storage.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Storage;

internal sealed class CSIStorageCapacityRules : KindRules<CSIStorageCapacity>
{
    public override bool AllowUnconditionalUpdate => false;

    protected override void Validate(RuleContext context, CSIStorageCapacity value, ErrorList errors)
    {
        WorkloadValidation.LabelSelector(errors, FieldPath.Of("nodeTopology"), value.NodeTopology);
        Names.CheckDnsSubdomain(errors, FieldPath.Of("storageClassName"), value.StorageClassName);
        CheckSize(errors, FieldPath.Of("capacity"), value.Capacity);
        CheckSize(errors, FieldPath.Of("maximumVolumeSize"), value.MaximumVolumeSize);
    }

    protected override void ValidateUpdate(RuleContext context, CSIStorageCapacity value, CSIStorageCapacity old, ErrorList errors)
    {
        Validate(context, value, errors);
        WorkloadValidation.Immutable(errors, FieldPath.Of("nodeTopology"), value.NodeTopology, old.NodeTopology);
        WorkloadValidation.Immutable(errors, FieldPath.Of("storageClassName"), value.StorageClassName, old.StorageClassName);
    }

    private static void CheckSize(ErrorList errors, FieldPath path, Quantity? size)
    {
        if (size?.Sign < 0)
        {
            errors.Invalid(path, size.ToString(), "must be greater than or equal to 0");
        }
    }
}
