using Hardway.Api.Resource.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Resource;

internal sealed class DeviceClassRules : KindRules<DeviceClass>
{
    public override bool HasGeneration => true;

    public override bool ReturnsDeletedObject => true;

    public override IReadOnlyList<TableColumn> Columns => [new("Age")];

    protected override void Validate(RuleContext context, DeviceClass value, ErrorList errors)
    {
        DeviceSelectors.Check(value.Spec.Selectors, FieldPath.Spec.Child("selectors"), errors);
        var path = FieldPath.Spec.Child("config");
        if (value.Spec.Config?.Count > DeviceConfigurations.Most)
        {
            errors.TooMany(path, value.Spec.Config.Count, DeviceConfigurations.Most);
        }

        for (var i = 0; i < value.Spec.Config?.Count; i++)
        {
            DeviceConfigurations.Check(value.Spec.Config[i].Opaque, path.Index(i).Child("opaque"), errors);
        }

        if (value.Spec.ExtendedResourceName is { } name && (!Names.IsQualifiedName(name) || !name.Contains('/', StringComparison.Ordinal) || name.Split('/')[0].EndsWith("kubernetes.io", StringComparison.Ordinal)))
        {
            errors.Invalid(FieldPath.Spec.Child("extendedResourceName"), name, "is no name of an extended resource such as example.com/gpu");
        }
    }

    protected override IReadOnlyList<object?> Cells(DeviceClass value, DateTimeOffset now) => [value.Metadata.Name, Ages.Since(value.Metadata.CreationTimestamp, now)];
}
