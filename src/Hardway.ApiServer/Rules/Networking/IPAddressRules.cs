using Hardway.Api.Networking.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Networking;

/// <summary>An address in use, named by itself, and whose it is.</summary>
internal sealed class IPAddressRules : KindRules<IPAddress>
{
    public override NameRule NameRule => NameRule.IpAddress;

    public override IReadOnlyList<TableColumn> Columns => [new("ParentRef")];

    public override IReadOnlyList<SelectableField> SelectableFields => [];

    protected override void Validate(RuleContext context, IPAddress value, ErrorList errors)
    {
        var path = FieldPath.Spec.Child("parentRef");
        if (value.Spec.ParentRef is not { } parent)
        {
            errors.Required(path);
            return;
        }

        if (parent.Resource.Length == 0)
        {
            errors.Required(path.Child("resource"));
        }

        if (parent.Name.Length == 0)
        {
            errors.Required(path.Child("name"));
        }
    }

    protected override void ValidateUpdate(RuleContext context, IPAddress value, IPAddress old, ErrorList errors)
    {
        Validate(context, value, errors);
        if (value.Spec.ParentRef is not null && !Hardway.Api.ApiStruct.DeepEquals(value.Spec.ParentRef, old.Spec.ParentRef))
        {
            errors.Invalid(FieldPath.Spec.Child("parentRef"), value.Spec.ParentRef.Name, "field is immutable");
        }
    }

    protected override IReadOnlyList<object?> Cells(IPAddress value, DateTimeOffset now)
    {
        var parent = value.Spec.ParentRef;
        var group = parent?.Group is { Length: > 0 } name ? "." + name : "";
        return [value.Metadata.Name, parent is null ? "" : $"{parent.Resource}{group}/{(parent.Namespace.Length > 0 ? parent.Namespace + "/" : "")}{parent.Name}", Ages.Since(value.Metadata.CreationTimestamp, now)];
    }
}
