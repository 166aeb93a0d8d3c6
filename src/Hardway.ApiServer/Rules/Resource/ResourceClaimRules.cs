using Hardway.Api;
using Hardway.Api.Resource.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.Storage;

namespace Hardway.ApiServer.Rules.Resource;

internal sealed class ResourceClaimRules : KindRules<ResourceClaim>
{
    private const int MostResults = 32;
    private const int MostConsumers = 256;

    public override bool HasStatus => true;

    public override bool ReturnsDeletedObject => true;

    public override IReadOnlyList<TableColumn> Columns => [new("State"), new("Age")];

    protected override void Default(ResourceClaim value) => DeviceClaimValidation.Default(value.Spec);

    protected override void Validate(RuleContext context, ResourceClaim value, ErrorList errors) => DeviceClaimValidation.Validate(value.Spec, FieldPath.Spec, errors);

    protected override void ValidateUpdate(RuleContext context, ResourceClaim value, ResourceClaim old, ErrorList errors)
    {
        if (context.Subresource == "status")
        {
            Status(value, old, errors);
            return;
        }

        WorkloadValidation.Immutable(errors, FieldPath.Spec, value.Spec, old.Spec);
        if (!errors.Any)
        {
            // A spec that was accepted once stays acceptable.
            Validate(context, value, errors);
        }
    }

    protected override IReadOnlyList<object?> Cells(ResourceClaim value, DateTimeOffset now) => [value.Metadata.Name, State(value), Ages.Since(value.Metadata.CreationTimestamp, now)];

    private static string State(ResourceClaim value)
    {
        var states = new List<string>(3);
        if (value.Metadata.DeletionTimestamp is not null)
        {
            states.Add("deleted");
        }

        if (value.Status.Allocation is not null)
        {
            states.Add("allocated");
        }

        if (value.Status.ReservedFor is { Count: > 0 })
        {
            states.Add("reserved");
        }

        return states.Count == 0 ? "pending" : string.Join(',', states);
    }

    private static void Status(ResourceClaim value, ResourceClaim old, ErrorList errors)
    {
        var path = FieldPath.Status;
        var (allocation, before) = (value.Status.Allocation, old.Status.Allocation);
        if (allocation is not null && before is not null && !ApiStruct.DeepEquals(allocation, before))
        {
            // The one thing to say: checks of the parts would only repeat it.
            errors.Invalid(path.Child("allocation"), null, "field is immutable");
            return;
        }

        if (allocation is not null && before is null)
        {
            Allocation(value, allocation, path.Child("allocation", "devices", "results"), errors);
        }

        Consumers(value, old, path.Child("reservedFor"), errors);
        Devices(value.Status, path.Child("devices"), errors);
    }

    private static void Allocation(ResourceClaim value, AllocationResult allocation, FieldPath path, ErrorList errors)
    {
        var names = DeviceClaimValidation.NamesOf(value.Spec);
        var results = allocation.Devices.Results ?? [];
        if (results.Count > MostResults)
        {
            errors.TooMany(path, results.Count, MostResults);
        }

        for (var i = 0; i < results.Count; i++)
        {
            var (result, at) = (results[i], path.Index(i));
            if (!names.Contains(result.Request))
            {
                errors.Invalid(at.Child("request"), result.Request, "is no request of this claim");
            }

            StorageNames.CheckDriver(errors, at.Child("driver"), result.Driver);
            ResourceSliceRules.CheckPool(result.Pool, at.Child("pool"), errors);
            Required(result.Device, at.Child("device"), errors);
        }
    }

    private static void Consumers(ResourceClaim value, ResourceClaim old, FieldPath path, ErrorList errors)
    {
        var consumers = value.Status.ReservedFor ?? [];
        if (consumers.Count > MostConsumers)
        {
            errors.TooMany(path, consumers.Count, MostConsumers);
        }

        if (consumers.Count > 0 && value.Status.Allocation is null)
        {
            errors.Forbidden(path, "a claim that is not allocated cannot be reserved");
        }

        var known = (old.Status.ReservedFor ?? []).Select(c => c.Uid).ToHashSet(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < consumers.Count; i++)
        {
            var (consumer, at) = (consumers[i], path.Index(i));
            Required(consumer.Resource, at.Child("resource"), errors);
            Required(consumer.Name, at.Child("name"), errors);
            Required(consumer.Uid, at.Child("uid"), errors);
            if (!seen.Add(consumer.Uid))
            {
                errors.Duplicate(at, consumer.Uid);
            }

            if (value.Metadata.DeletionTimestamp is not null && !known.Contains(consumer.Uid))
            {
                errors.Forbidden(path, "a claim that is being deleted takes no new consumers");
            }
        }
    }

    private static void Devices(ResourceClaimStatus status, FieldPath path, ErrorList errors)
    {
        var allocated = (status.Allocation?.Devices.Results ?? []).Select(r => (r.Driver, r.Pool, r.Device, r.ShareID ?? "")).ToHashSet();
        var seen = new HashSet<(string, string, string, string)>();
        for (var i = 0; i < status.Devices?.Count; i++)
        {
            var (device, at) = (status.Devices[i], path.Index(i));
            var key = (device.Driver, device.Pool, device.Device, device.ShareID ?? "");
            if (!allocated.Contains(key))
            {
                errors.Invalid(at, $"{device.Driver}/{device.Pool}/{device.Device}", "is not allocated to this claim");
            }
            else if (!seen.Add(key))
            {
                errors.Duplicate(at, $"{device.Driver}/{device.Pool}/{device.Device}");
            }
        }
    }

    private static void Required(string text, FieldPath path, ErrorList errors)
    {
        if (text.Length == 0)
        {
            errors.Required(path);
        }
    }
}
