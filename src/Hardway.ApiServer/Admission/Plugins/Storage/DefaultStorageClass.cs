using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Plugins.Storage;

/// <summary>A claim that names no class gets the default one, the newest where there are several.</summary>
internal sealed class DefaultStorageClass(IResourceReader reader) : AdmissionPlugin
{
    private const string IsDefault = "storageclass.kubernetes.io/is-default-class";
    private const string IsDefaultBeta = "storageclass.beta.kubernetes.io/is-default-class";
    private const string LegacyClass = "volume.beta.kubernetes.io/storage-class";

    public override string Name => "DefaultStorageClass";

    public override AdmissionOperation Operations => AdmissionOperation.Create;

    public override ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes is { Subresource: "", Object: PersistentVolumeClaim { Spec.StorageClassName: null } claim } && !(claim.Metadata.Annotations?.ContainsKey(LegacyClass) ?? false))
        {
            claim.Spec.StorageClassName = Default()?.Metadata.Name;
        }

        return ValueTask.CompletedTask;
    }

    private StorageClass? Default() => reader.List<StorageClass>()
        .Where(c => c.Metadata.Annotations is { } a && (a.GetValueOrDefault(IsDefault) == "true" || a.GetValueOrDefault(IsDefaultBeta) == "true"))
        .OrderByDescending(c => c.Metadata.CreationTimestamp).ThenBy(c => c.Metadata.Name, StringComparer.Ordinal).FirstOrDefault();
}
