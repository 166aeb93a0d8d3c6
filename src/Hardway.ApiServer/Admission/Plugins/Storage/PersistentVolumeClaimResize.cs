using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Plugins.Storage;

/// <summary>A claim grows only when it is bound and its class says that its volumes can grow.</summary>
internal sealed class PersistentVolumeClaimResize(IResourceReader reader) : AdmissionPlugin
{
    public override string Name => "PersistentVolumeClaimResize";

    public override AdmissionOperation Operations => AdmissionOperation.Update;

    public override ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes is not { Group: "", Resource: "persistentvolumeclaims", Subresource: "", Object: PersistentVolumeClaim claim, OldObject: PersistentVolumeClaim old }
            || Size(claim) is not { } wanted || (Size(old) is { } now && wanted.CompareTo(now) <= 0))
        {
            return ValueTask.CompletedTask;
        }

        if (old.Status.Phase != "Bound")
        {
            throw Refuse(attributes, "Only bound persistent volume claims can be expanded");
        }

        var name = claim.Spec.StorageClassName ?? claim.Metadata.Annotations?.GetValueOrDefault("volume.beta.kubernetes.io/storage-class") ?? "";
        return name.Length > 0 && reader.Get<StorageClass>("", name) is { AllowVolumeExpansion: true }
            ? ValueTask.CompletedTask
            : throw Refuse(attributes, "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize");
    }

    private static Api.Quantity? Size(PersistentVolumeClaim claim) => claim.Spec.Resources.Requests?.TryGetValue("storage", out var size) ?? false ? size : null;

    private static ApiException Refuse(AdmissionAttributes a, string why) => Statuses.Forbidden(a.Group, a.Resource, a.Name, why);
}
