using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Core;

internal sealed class NamespaceRules : KindRules<Namespace>
{
    public override NameRule NameRule => NameRule.DnsLabel;

    public override bool HasStatus => true;

    public override bool ReturnsDeletedObject => true;

    public override bool SelectsNamespace => false;

    public override IReadOnlyList<SelectableField> SelectableFields => [new("status.phase")];

    public override IReadOnlyList<TableColumn> Columns => [new("Status"), new("Age")];

    protected override void Default(Namespace value)
    {
        if (value.Metadata.Name.Length > 0)
        {
            (value.Metadata.Labels ??= [])["kubernetes.io/metadata.name"] = value.Metadata.Name;
        }
    }

    protected override void PrepareForCreate(RuleContext context, Namespace value)
    {
        value.Status = new NamespaceStatus { Phase = "Active" };
        var finalizers = value.Spec.Finalizers ??= [];
        if (!finalizers.Contains("kubernetes"))
        {
            finalizers.Add("kubernetes");
        }
    }

    protected override void PrepareForUpdate(RuleContext context, Namespace value, Namespace old)
    {
        if (context.Subresource != "finalize")
        {
            value.Spec.Finalizers = old.Spec.Finalizers;
        }

        if (context.Subresource != "status")
        {
            value.Status = old.Status;
        }
    }

    /// <summary>A namespace goes when it is empty, not after a time.</summary>
    protected override void BeginDelete(Namespace value)
    {
        value.Status.Phase = "Terminating";
        value.Metadata.DeletionGracePeriodSeconds = null;
    }

    protected override bool Holds(Namespace value) => value.Spec.Finalizers is { Count: > 0 };

    protected override void Validate(RuleContext context, Namespace value, ErrorList errors)
    {
        for (var i = 0; i < value.Spec.Finalizers?.Count; i++)
        {
            var (name, path) = (value.Spec.Finalizers[i], FieldPath.Spec.Child("finalizers").Index(i));
            if (!Names.IsQualifiedName(name))
            {
                Names.CheckLabelKey(errors, path, name);
            }
            else if (!name.Contains('/', StringComparison.Ordinal) && name is not ("kubernetes" or "orphan" or "foregroundDeletion"))
            {
                errors.Invalid(path, name, "is neither a finalizer that Kubernetes knows nor a name with a domain");
            }
        }
    }

    protected override void ValidateUpdate(RuleContext context, Namespace value, Namespace old, ErrorList errors)
    {
        Validate(context, value, errors);
        if (context.Subresource == "status" && value.Metadata.DeletionTimestamp is null && value.Status.Phase is not ("Active" or ""))
        {
            errors.Invalid(FieldPath.Status.Child("Phase"), value.Status.Phase, "may only be Active while the namespace is not deleted");
        }
    }

    protected override IReadOnlyList<object?> Cells(Namespace value, DateTimeOffset now) =>
        [value.Metadata.Name, value.Status.Phase, Ages.Since(value.Metadata.CreationTimestamp, now)];
}
