using Hardway.Api;
using Hardway.Api.Storage.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Storage;

internal sealed class CSINodeRules : KindRules<CSINode>
{
    private const int LongestNodeId = 256;

    public override bool AllowUnconditionalUpdate => false;

    public override bool ReturnsDeletedObject => true;

    public override IReadOnlyList<TableColumn> Columns => [new("Drivers", "integer"), new("Age")];

    protected override void Validate(RuleContext context, CSINode value, ErrorList errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < value.Spec.Drivers?.Count; i++)
        {
            var (driver, path) = (value.Spec.Drivers[i], FieldPath.Spec.Child("drivers").Index(i));
            StorageNames.CheckDriver(errors, path.Child("name"), driver.Name);
            if (!seen.Add(driver.Name))
            {
                errors.Duplicate(path.Child("name"), driver.Name);
            }

            CheckDriver(driver, path, errors);
        }
    }

    protected override void ValidateUpdate(RuleContext context, CSINode value, CSINode old, ErrorList errors)
    {
        Validate(context, value, errors);
        foreach (var before in old.Spec.Drivers ?? [])
        {
            if (value.Spec.Drivers?.Find(d => d.Name == before.Name) is { } driver && !IsSame(driver, before))
            {
                errors.Invalid(FieldPath.Spec.Child("drivers"), driver.Name, "field is immutable");
            }
        }
    }

    protected override IReadOnlyList<object?> Cells(CSINode value, DateTimeOffset now) =>
        [value.Metadata.Name, value.Spec.Drivers?.Count ?? 0, Ages.Since(value.Metadata.CreationTimestamp, now)];

    private static void CheckDriver(CSINodeDriver driver, FieldPath path, ErrorList errors)
    {
        if (driver.NodeID.Length == 0)
        {
            errors.Required(path.Child("nodeID"));
        }
        else if (driver.NodeID.Length > LongestNodeId)
        {
            errors.Invalid(path.Child("nodeID"), driver.NodeID, "may not be longer than 256 bytes");
        }

        if (driver.Allocatable?.Count < 0)
        {
            errors.Invalid(path.Child("allocatable", "count"), driver.Allocatable.Count, "must be greater than or equal to 0");
        }

        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var key in driver.TopologyKeys ?? [])
        {
            if (key.Length == 0)
            {
                errors.Required(path);
            }
            else if (!keys.Add(key))
            {
                errors.Duplicate(path, key);
            }
            else
            {
                Names.CheckLabelKey(errors, path, key);
            }
        }
    }

    /// <summary>Only how much can be attached may change while a driver is listed.</summary>
    private static bool IsSame(CSINodeDriver driver, CSINodeDriver before)
    {
        var (one, two) = (driver.Clone(), before.Clone());
        (one.Allocatable, two.Allocatable) = (null, null);
        return ApiStruct.DeepEquals(one, two);
    }
}
