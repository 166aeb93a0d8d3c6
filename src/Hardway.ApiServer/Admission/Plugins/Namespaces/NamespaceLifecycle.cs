using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Plugins.Namespaces;

/// <summary>Nothing is made in a namespace that is not there or on its way out, and some namespaces stay for ever.</summary>
internal sealed class NamespaceLifecycle(IResourceReader reader) : AdmissionPlugin
{
    private static readonly string[] s_immortal = ["default", "kube-system", "kube-public"];

    public override string Name => "NamespaceLifecycle";

    public override AdmissionOperation Operations => AdmissionOperation.Create | AdmissionOperation.Delete;

    public override async ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes.Operation == AdmissionOperation.Delete)
        {
            if (attributes is { Resource: "namespaces", Group: "" } && s_immortal.Contains(attributes.Name))
            {
                throw Statuses.Forbidden("", "namespaces", attributes.Name, "this namespace may not be deleted");
            }

            return;
        }

        if (attributes.Namespace.Length == 0 || attributes.Resource == "namespaces" || attributes.Resource == "localsubjectaccessreviews")
        {
            return;
        }

        // The cache may not have seen a namespace that was made a moment ago.
        var ns = reader.Get<Namespace>("", attributes.Namespace)
            ?? await reader.GetFreshAsync<Namespace>("", attributes.Namespace, cancellationToken).ConfigureAwait(false)
            ?? throw Statuses.NotFound("", "namespaces", attributes.Namespace);
        if (ns.Status.Phase == "Terminating" || ns.Metadata.DeletionTimestamp is not null)
        {
            throw Terminating(attributes);
        }
    }

    private static ApiException Terminating(AdmissionAttributes attributes)
    {
        var text = $"unable to create new content in namespace {attributes.Namespace} because it is being terminated";
        var refusal = Statuses.Forbidden(attributes.Group, attributes.Resource, attributes.Name, text);
        refusal.Status.Details!.Causes = [new StatusCause { Reason = "NamespaceTerminating", Message = $"namespace {attributes.Namespace} is being terminated", Field = "metadata.namespace" }];
        return refusal;
    }
}

/// <summary>Refuses what is in no namespace of the cluster. Off by default, as NamespaceLifecycle does it.</summary>
internal sealed class NamespaceExists(IResourceReader reader) : AdmissionPlugin
{
    public override string Name => "NamespaceExists";

    public override AdmissionOperation Operations => AdmissionOperation.Create | AdmissionOperation.Update | AdmissionOperation.Delete;

    public override async ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes.Namespace.Length > 0 && attributes.Resource != "namespaces" && reader.Get<Namespace>("", attributes.Namespace) is null
            && await reader.GetFreshAsync<Namespace>("", attributes.Namespace, cancellationToken).ConfigureAwait(false) is null)
        {
            throw Statuses.NotFound("", "namespaces", attributes.Namespace);
        }
    }
}
