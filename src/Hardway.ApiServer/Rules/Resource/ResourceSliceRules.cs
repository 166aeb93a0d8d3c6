using Hardway.Api.Resource.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules.Core;
using Hardway.ApiServer.Rules.Storage;

namespace Hardway.ApiServer.Rules.Resource;

internal sealed class ResourceSliceRules : KindRules<ResourceSlice>
{
    private const int MostDevices = 128;
    private const int MostFacts = 32;
    private const int MostTaints = 4;

    public override bool HasGeneration => true;

    public override bool ReturnsDeletedObject => true;

    public override IReadOnlyList<SelectableField> SelectableFields => [new("spec.driver"), new("spec.nodeName")];

    public override IReadOnlyList<TableColumn> Columns => [new("Node"), new("Driver"), new("Pool"), new("Age")];

    public static void CheckPool(string pool, FieldPath path, ErrorList errors)
    {
        if (pool.Length == 0)
        {
            errors.Required(path);
            return;
        }

        if (pool.Length > 253)
        {
            errors.TooLong(path, 253, "characters");
        }

        foreach (var part in pool.Split('/'))
        {
            Names.CheckDnsSubdomain(errors, path, part);
        }
    }

    protected override void Validate(RuleContext context, ResourceSlice value, ErrorList errors)
    {
        var spec = value.Spec;
        StorageNames.CheckDriver(errors, FieldPath.Spec.Child("driver"), spec.Driver);
        var pool = FieldPath.Spec.Child("pool");
        CheckPool(spec.Pool.Name, pool.Child("name"), errors);
        if (spec.Pool.ResourceSliceCount <= 0)
        {
            errors.Invalid(pool.Child("resourceSliceCount"), spec.Pool.ResourceSliceCount, "must be greater than zero");
        }

        if (spec.Pool.Generation < 0)
        {
            errors.Invalid(pool.Child("generation"), spec.Pool.Generation, "must be greater than or equal to zero");
        }

        CheckPlacement(spec, errors);
        CheckDevices(spec, errors);
    }

    protected override void ValidateUpdate(RuleContext context, ResourceSlice value, ResourceSlice old, ErrorList errors)
    {
        Validate(context, value, errors);
        WorkloadValidation.Immutable(errors, FieldPath.Spec.Child("driver"), value.Spec.Driver, old.Spec.Driver);
        WorkloadValidation.Immutable(errors, FieldPath.Spec.Child("pool", "name"), value.Spec.Pool.Name, old.Spec.Pool.Name);
        WorkloadValidation.Immutable(errors, FieldPath.Spec.Child("nodeName"), value.Spec.NodeName, old.Spec.NodeName);
    }

    protected override IReadOnlyList<object?> Cells(ResourceSlice value, DateTimeOffset now) =>
        [value.Metadata.Name, value.Spec.NodeName ?? "", value.Spec.Driver, value.Spec.Pool.Name, Ages.Since(value.Metadata.CreationTimestamp, now)];

    private static void CheckPlacement(ResourceSliceSpec spec, ErrorList errors)
    {
        var given = new List<string>();
        AddIf(given, spec.NodeName is not null, "nodeName");
        AddIf(given, spec.NodeSelector is not null, "nodeSelector");
        AddIf(given, spec.AllNodes == true, "allNodes");
        AddIf(given, spec.PerDeviceNodeSelection == true, "perDeviceNodeSelection");
        if (given.Count == 0)
        {
            errors.Required(FieldPath.Spec, "one of nodeName, nodeSelector, allNodes and perDeviceNodeSelection is needed");
        }
        else if (given.Count > 1)
        {
            errors.Invalid(FieldPath.Spec, string.Join(", ", given), "only one of these may be given");
        }

        CheckNode(spec.NodeName, spec.NodeSelector, FieldPath.Spec, errors);
    }

    private static void CheckNode(string? name, Api.Core.V1.NodeSelector? selector, FieldPath path, ErrorList errors)
    {
        if (name is not null)
        {
            Names.CheckDnsSubdomain(errors, path.Child("nodeName"), name);
        }

        if (selector is not null)
        {
            AffinityValidation.NodeSelector(selector, path.Child("nodeSelector"), errors);
        }
    }

    private static void CheckDevices(ResourceSliceSpec spec, ErrorList errors)
    {
        var path = FieldPath.Spec.Child("devices");
        if (spec.Devices?.Count > MostDevices)
        {
            errors.TooMany(path, spec.Devices.Count, MostDevices);
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < spec.Devices?.Count; i++)
        {
            var (device, at) = (spec.Devices[i], path.Index(i));
            CheckDevice(device, spec.PerDeviceNodeSelection == true, at, errors);
            if (!names.Add(device.Name))
            {
                errors.Duplicate(at, device.Name);
            }
        }
    }

    private static void CheckDevice(Device device, bool isPlaced, FieldPath path, ErrorList errors)
    {
        Names.CheckDnsLabel(errors, path.Child("name"), device.Name);
        if ((device.Attributes?.Count ?? 0) + (device.Capacity?.Count ?? 0) > MostFacts)
        {
            errors.Invalid(path, device.Name, $"may have at most {MostFacts} attributes and capacities together");
        }

        DeviceAttributes.Check(device.Attributes, path.Child("attributes"), errors);
        foreach (var name in device.Capacity?.Keys ?? Enumerable.Empty<string>())
        {
            DeviceAttributes.CheckName(name, path.Child("capacity").Key(name), errors);
        }

        if (device.Taints?.Count > MostTaints)
        {
            errors.TooMany(path.Child("taints"), device.Taints.Count, MostTaints);
        }

        for (var i = 0; i < device.Taints?.Count; i++)
        {
            DeviceTolerations.CheckTaint(device.Taints[i], path.Child("taints").Index(i), errors);
        }

        var places = (device.NodeName is null ? 0 : 1) + (device.NodeSelector is null ? 0 : 1) + (device.AllNodes == true ? 1 : 0);
        if (isPlaced && places == 0)
        {
            errors.Required(path, "one of nodeName, nodeSelector and allNodes is needed when perDeviceNodeSelection is set");
        }
        else if (places > (isPlaced ? 1 : 0))
        {
            errors.Invalid(path, device.Name, isPlaced ? "only one of nodeName, nodeSelector and allNodes may be given" : "nodeName, nodeSelector and allNodes need perDeviceNodeSelection");
        }

        CheckNode(device.NodeName, device.NodeSelector, path, errors);
    }

    private static void AddIf(List<string> names, bool isGiven, string name)
    {
        if (isGiven)
        {
            names.Add(name);
        }
    }
}
