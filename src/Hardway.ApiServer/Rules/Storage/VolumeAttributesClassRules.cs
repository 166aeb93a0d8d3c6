using Hardway.Api;
using Hardway.Api.Storage.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Storage;

internal sealed class VolumeAttributesClassRules : KindRules<VolumeAttributesClass>
{
    private const int MostParameters = 512;

    public override bool ReturnsDeletedObject => true;

    public override IReadOnlyList<TableColumn> Columns => [new("DriverName"), new("Age")];

    protected override void Validate(RuleContext context, VolumeAttributesClass value, ErrorList errors)
    {
        StorageNames.CheckDriver(errors, FieldPath.Of("driverName"), value.DriverName);
        var path = FieldPath.Of("parameters");
        if (value.Parameters is not { Count: > 0 } parameters)
        {
            errors.Required(path, "must contain at least one pair");
            return;
        }

        if (parameters.Count > MostParameters)
        {
            errors.TooLong(path, MostParameters, "entries");
        }

        if (parameters.ContainsKey(""))
        {
            errors.Invalid(path, "", "a key may not be empty");
        }
    }

    protected override void ValidateUpdate(RuleContext context, VolumeAttributesClass value, VolumeAttributesClass old, ErrorList errors)
    {
        if (value.DriverName != old.DriverName)
        {
            errors.Forbidden(FieldPath.Of("driverName"), "it may not change");
        }

        if (!ApiValues.AreEqual(value.Parameters, old.Parameters, Shape.Map<string>(Shape.String)))
        {
            errors.Forbidden(FieldPath.Of("parameters"), "they may not change");
        }
    }

    protected override IReadOnlyList<object?> Cells(VolumeAttributesClass value, DateTimeOffset now) =>
        [value.Metadata.Name, value.DriverName, Ages.Since(value.Metadata.CreationTimestamp, now)];
}
