using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Rules.Core;

namespace Hardway.ApiServer.Rules.Storage;

/// <summary>Where a PersistentVolume is: the fields of its spec of which one is set.</summary>
internal static class PersistentVolumeSources
{
    private static readonly string[] s_order =
    [
        "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs", "iscsi", "cinder", "fc", "azureFile", "vsphereVolume",
        "photonPersistentDisk", "portworxVolume", "azureDisk", "scaleIO", "local", "storageos", "csi",
    ];

    public static IReadOnlyList<FieldSchema> Fields { get; } = [.. s_order.Select(n => PersistentVolumeSpec.TypeSchema.Field(n)!)];

    public static void Validate(PersistentVolumeSpec spec, ErrorList errors)
    {
        VolumeValidation.OneSource(spec, s_order, FieldPath.Spec, errors);
        DiskValidation.Validate(spec, FieldPath.Spec, errors);
        if (spec.HostPath is { } host)
        {
            VolumeValidation.HostPath(host, FieldPath.Spec.Child("hostPath"), errors);
            if (host.Path == "/" && spec.PersistentVolumeReclaimPolicy == "Recycle")
            {
                errors.Forbidden(FieldPath.Spec.Child("persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'");
            }
        }

        if (spec.Nfs is { } nfs)
        {
            VolumeValidation.Nfs(nfs, FieldPath.Spec.Child("nfs"), errors);
        }

        if (spec.Local is { } local)
        {
            Local(local, FieldPath.Spec.Child("local", "path"), errors);
        }

        if (spec.Csi is { } csi)
        {
            Csi(csi, FieldPath.Spec.Child("csi"), errors);
        }
    }

    /// <summary>A CSI driver's name: at most 63 letters, digits, '-' and '.'; letters of either case.</summary>
    public static void Driver(string name, FieldPath path, ErrorList errors)
    {
        if (name.Length == 0)
        {
            errors.Required(path);
            return;
        }

        if (name.Length > 63)
        {
            errors.TooLong(path, 63, "characters");
        }

        Names.CheckDnsSubdomain(errors, path, name.ToLowerInvariant());
    }

    private static void Local(LocalVolumeSource local, FieldPath path, ErrorList errors)
    {
        if (local.Path.Length == 0)
        {
            errors.Required(path);
        }
        else if (local.Path.Split('/').Contains(".."))
        {
            errors.Invalid(path, local.Path, "must not contain '..'");
        }
    }

    private static void Csi(CSIPersistentVolumeSource csi, FieldPath path, ErrorList errors)
    {
        Driver(csi.Driver, path.Child("driver"), errors);
        if (csi.VolumeHandle.Length == 0)
        {
            errors.Required(path.Child("volumeHandle"));
        }

        foreach (var (name, reference) in new[]
        {
            ("controllerPublishSecretRef", csi.ControllerPublishSecretRef), ("controllerExpandSecretRef", csi.ControllerExpandSecretRef),
            ("nodePublishSecretRef", csi.NodePublishSecretRef), ("nodeExpandSecretRef", csi.NodeExpandSecretRef),
        })
        {
            if (reference is { Name.Length: 0 })
            {
                errors.Required(path.Child(name, "name"));
            }

            if (reference is { Namespace.Length: 0 })
            {
                errors.Required(path.Child(name, "namespace"));
            }
        }
    }
}
