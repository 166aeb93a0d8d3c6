using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;

namespace Hardway.ApiServer.Admission.Plugins.Storage;

/// <summary>Claims, volumes and attribute classes get the finalizer with which controllers keep them while they are in use.</summary>
internal sealed class StorageObjectInUseProtection : AdmissionPlugin
{
    public override string Name => "StorageObjectInUseProtection";

    public override AdmissionOperation Operations => AdmissionOperation.Create;

    public override ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        var finalizer = attributes.Subresource.Length > 0 ? null : attributes.Object switch
        {
            PersistentVolumeClaim => "kubernetes.io/pvc-protection",
            PersistentVolume => "kubernetes.io/pv-protection",
            VolumeAttributesClass => "kubernetes.io/vac-protection",
            _ => null,
        };
        if (finalizer is not null && attributes.Object is Api.KubeObject value && !(value.Metadata.Finalizers ?? []).Contains(finalizer))
        {
            (value.Metadata.Finalizers ??= []).Add(finalizer);
        }

        return ValueTask.CompletedTask;
    }
}
