using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Core;

internal sealed class ConfigMapRules : KindRules<ConfigMap>
{
    private const int MaxBytes = 1024 * 1024;

    public override IReadOnlyList<TableColumn> Columns => [new("Data"), new("Age")];

    protected override void Validate(RuleContext context, ConfigMap value, ErrorList errors)
    {
        var total = 0;
        foreach (var (key, text) in value.Data ?? [])
        {
            Names.CheckConfigKey(errors, FieldPath.Of("data").Key(key), key);
            if (value.BinaryData?.ContainsKey(key) == true)
            {
                errors.Invalid(FieldPath.Of("data").Key(key), key, "stands in binaryData as well");
            }

            total += System.Text.Encoding.UTF8.GetByteCount(text);
        }

        foreach (var (key, bytes) in value.BinaryData ?? [])
        {
            Names.CheckConfigKey(errors, FieldPath.Of("binaryData").Key(key), key);
            total += bytes.Length;
        }

        if (total > MaxBytes)
        {
            errors.TooLong(FieldPath.Root, MaxBytes);
        }
    }

    protected override void ValidateUpdate(RuleContext context, ConfigMap value, ConfigMap old, ErrorList errors)
    {
        if (old.Immutable == true)
        {
            if (value.Immutable != true)
            {
                errors.Forbidden(FieldPath.Of("immutable"), "an immutable ConfigMap stays so");
            }

            if (!ApiValues.AreEqual(old.Data, value.Data, Shape.Map<string>(Shape.String)))
            {
                errors.Forbidden(FieldPath.Of("data"), "the ConfigMap is immutable");
            }

            if (!ApiValues.AreEqual(old.BinaryData, value.BinaryData, Shape.Map<byte[]>(Shape.Bytes)))
            {
                errors.Forbidden(FieldPath.Of("binaryData"), "the ConfigMap is immutable");
            }
        }

        Validate(context, value, errors);
    }

    protected override IReadOnlyList<object?> Cells(ConfigMap value, DateTimeOffset now) =>
        [value.Metadata.Name, (long)((value.Data?.Count ?? 0) + (value.BinaryData?.Count ?? 0)), Ages.Since(value.Metadata.CreationTimestamp, now)];
}
