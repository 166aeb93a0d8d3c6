using Hardway.Api.Networking.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Rules.Networking;

internal sealed class IngressClassRules : KindRules<IngressClass>
{
    public override bool HasGeneration => true;

    public override IReadOnlyList<TableColumn> Columns => [new("Controller"), new("Parameters"), new("Age")];

    protected override void Default(IngressClass value)
    {
        if (value.Spec.Parameters is { } parameters)
        {
            parameters.Scope ??= "Cluster";
        }
    }

    protected override void Validate(RuleContext context, IngressClass value, ErrorList errors)
    {
        if (value.Spec.Controller.Length > 250)
        {
            errors.TooLong(FieldPath.Spec.Child("controller"), 250);
        }

        var slash = value.Spec.Controller.IndexOf('/');
        if (slash <= 0 || slash == value.Spec.Controller.Length - 1 || !Names.IsDnsSubdomain(value.Spec.Controller[..slash]))
        {
            errors.Invalid(FieldPath.Spec.Child("controller"), value.Spec.Controller, "must be a domain-prefixed path (such as \"acme.io/foo\")");
        }

        if (value.Spec.Parameters is not { } parameters)
        {
            return;
        }

        var path = FieldPath.Spec.Child("parameters");
        if (parameters.Kind.Length == 0)
        {
            errors.Required(path.Child("kind"));
        }

        if (parameters.Name.Length == 0)
        {
            errors.Required(path.Child("name"));
        }

        switch (parameters.Scope)
        {
            case "Namespace" when string.IsNullOrEmpty(parameters.Namespace):
                errors.Required(path.Child("namespace"), "`parameters.scope` is set to 'Namespace'");
                break;
            case "Cluster" when parameters.Namespace is not null:
                errors.Forbidden(path.Child("namespace"), "`parameters.scope` is set to 'Cluster'");
                break;
            case "Namespace" or "Cluster":
                break;
            default:
                errors.NotSupported(path.Child("scope"), parameters.Scope, "Cluster", "Namespace");
                break;
        }
    }

    protected override void ValidateUpdate(RuleContext context, IngressClass value, IngressClass old, ErrorList errors)
    {
        Validate(context, value, errors);
        WorkloadValidation.Immutable(errors, FieldPath.Spec.Child("controller"), value.Spec.Controller, old.Spec.Controller);
    }

    protected override IReadOnlyList<object?> Cells(IngressClass value, DateTimeOffset now)
    {
        var parameters = value.Spec.Parameters;
        var text = parameters is null ? TableText.None : (parameters.Kind + (parameters.ApiGroup is { Length: > 0 } group ? "." + group : "") + "/" + parameters.Name);
        return [value.Metadata.Name, value.Spec.Controller, text, Ages.Since(value.Metadata.CreationTimestamp, now)];
    }
}
