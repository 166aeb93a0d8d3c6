using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Admission.Plugins.Pods;

/// <summary>Every image is asked for anew, so that a Pod runs only what its own credentials can pull. Off by default.</summary>
internal sealed class AlwaysPullImages : AdmissionPlugin
{
    private const string Always = "Always";

    public override string Name => "AlwaysPullImages";

    public override ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (PodOf(attributes) is { } pod)
        {
            foreach (var container in (pod.Spec.InitContainers ?? []).Concat(pod.Spec.Containers ?? []))
            {
                container.ImagePullPolicy = Always;
            }

            foreach (var container in pod.Spec.EphemeralContainers ?? [])
            {
                container.ImagePullPolicy = Always;
            }
        }

        return ValueTask.CompletedTask;
    }

    public override ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (PodOf(attributes) is { } pod
            && ((pod.Spec.InitContainers ?? []).Concat(pod.Spec.Containers ?? []).Any(c => c.ImagePullPolicy != Always) || (pod.Spec.EphemeralContainers ?? []).Any(c => c.ImagePullPolicy != Always)))
        {
            throw Statuses.Forbidden("", "pods", attributes.Name, "spec.containers: imagePullPolicy must be \"Always\"");
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>On an update only where images change.</summary>
    private static Pod? PodOf(AdmissionAttributes attributes) =>
        attributes is { Group: "", Resource: "pods", Subresource: "" or "ephemeralcontainers", Object: Pod pod } && (attributes.OldObject is not Pod old || !PodSpecs.Images(old).SequenceEqual(PodSpecs.Images(pod))) ? pod : null;
}
