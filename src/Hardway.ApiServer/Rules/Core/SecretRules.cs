using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Core;

internal sealed class SecretRules : KindRules<Secret>
{
    private const int MaxBytes = 1024 * 1024;
    private const string TokenType = "kubernetes.io/service-account-token";

    private static readonly Dictionary<string, string[]> s_required = new(StringComparer.Ordinal)
    {
        ["kubernetes.io/dockercfg"] = [".dockercfg"],
        ["kubernetes.io/dockerconfigjson"] = [".dockerconfigjson"],
        ["kubernetes.io/ssh-auth"] = ["ssh-privatekey"],
        ["kubernetes.io/tls"] = ["tls.crt", "tls.key"],
    };

    public override IReadOnlyList<SelectableField> SelectableFields => [new("type")];

    public override IReadOnlyList<TableColumn> Columns => [new("Type"), new("Data"), new("Age")];

    protected override void Default(Secret value)
    {
        value.Type = value.Type.Length == 0 ? "Opaque" : value.Type;
        foreach (var (key, text) in value.StringData ?? [])
        {
            (value.Data ??= [])[key] = System.Text.Encoding.UTF8.GetBytes(text);
        }

        value.StringData = null;
    }

    protected override void Validate(RuleContext context, Secret value, ErrorList errors)
    {
        var total = 0;
        foreach (var (key, bytes) in value.Data ?? [])
        {
            Names.CheckConfigKey(errors, FieldPath.Of("data").Key(key), key);
            total += bytes.Length;
        }

        if (total > MaxBytes)
        {
            errors.TooLong(FieldPath.Of("data"), MaxBytes);
        }

        ValidateType(value, errors);
    }

    protected override void ValidateUpdate(RuleContext context, Secret value, Secret old, ErrorList errors)
    {
        if (value.Type != old.Type)
        {
            errors.Invalid(FieldPath.Of("type"), value.Type, "field is immutable");
        }

        if (old.Immutable == true)
        {
            if (value.Immutable != true)
            {
                errors.Forbidden(FieldPath.Of("immutable"), "an immutable Secret stays so");
            }

            if (!ApiValues.AreEqual(old.Data, value.Data, Shape.Map<byte[]>(Shape.Bytes)))
            {
                errors.Forbidden(FieldPath.Of("data"), "the Secret is immutable");
            }
        }

        Validate(context, value, errors);
    }

    protected override IReadOnlyList<object?> Cells(Secret value, DateTimeOffset now) =>
        [value.Metadata.Name, value.Type, (long)(value.Data?.Count ?? 0), Ages.Since(value.Metadata.CreationTimestamp, now)];

    private static void ValidateType(Secret value, ErrorList errors)
    {
        if (value.Type == TokenType)
        {
            if (value.Metadata.Annotations?.GetValueOrDefault("kubernetes.io/service-account.name") is null or "")
            {
                errors.Required(FieldPath.Metadata.Child("annotations").Key("kubernetes.io/service-account.name"));
            }

            return;
        }

        if (value.Type == "kubernetes.io/basic-auth" && value.Data?.ContainsKey("username") != true && value.Data?.ContainsKey("password") != true)
        {
            errors.Required(FieldPath.Of("data").Key("username"));
            errors.Required(FieldPath.Of("data").Key("password"));
        }

        foreach (var key in s_required.GetValueOrDefault(value.Type) ?? [])
        {
            if (value.Data?.TryGetValue(key, out var bytes) != true)
            {
                errors.Required(FieldPath.Of("data").Key(key));
            }
            else if (key.StartsWith(".docker", StringComparison.Ordinal) && !IsJson(bytes!))
            {
                errors.Invalid(FieldPath.Of("data").Key(key), "<secret contents redacted>", "is no JSON");
            }
        }
    }

    private static bool IsJson(byte[] bytes)
    {
        try
        {
            return ApiJson.DeserializeTree(bytes) is Dictionary<string, object?>;
        }
        catch (ApiDecodeException)
        {
            return false;
        }
    }
}
