using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What must hold of disks and file servers, in Pods and in PersistentVolumes, whose types differ but whose fields are named alike.</summary>
internal static class DiskValidation
{
    /// <summary>The fields without which a source says nothing.</summary>
    private static readonly Dictionary<string, string[]> s_needed = new(StringComparer.Ordinal)
    {
        ["gcePersistentDisk"] = ["pdName"], ["awsElasticBlockStore"] = ["volumeID"], ["glusterfs"] = ["endpoints", "path"], ["rbd"] = ["monitors", "image"],
        ["cinder"] = ["volumeID"], ["cephfs"] = ["monitors"], ["azureFile"] = ["secretName", "shareName"], ["vsphereVolume"] = ["volumePath"],
        ["azureDisk"] = ["diskName", "diskURI"], ["photonPersistentDisk"] = ["pdID"], ["portworxVolume"] = ["volumeID"], ["gitRepo"] = ["repository"],
        ["scaleIO"] = ["gateway", "system", "volumeName"],
    };

    public static void Validate(ApiStruct holder, FieldPath path, ErrorList errors)
    {
        foreach (var (source, needed) in s_needed)
        {
            if (Get(holder, source) is not ApiStruct value)
            {
                continue;
            }

            foreach (var name in needed)
            {
                if (Get(value, name) is null or "" or List<string> { Count: 0 })
                {
                    errors.Required(path.Child(source, name));
                }
            }

            Partition(value, path.Child(source), errors);
        }

        if (Get(holder, "iscsi") is ApiStruct iscsi)
        {
            Iscsi(iscsi, path.Child("iscsi"), errors);
        }

        if (Get(holder, "fc") is FCVolumeSource fc)
        {
            FibreChannel(fc, path.Child("fc"), errors);
        }

        if (Get(holder, "azureDisk") is AzureDiskVolumeSource azure)
        {
            Azure(azure, path.Child("azureDisk"), errors);
        }
    }

    private static object? Get(ApiStruct value, string name) => value.StructSchema.Field(name) is { } field ? value.Get(field.Ordinal) : null;

    private static void Partition(ApiStruct value, FieldPath path, ErrorList errors)
    {
        if (Get(value, "partition") is int partition && partition is < 0 or > 255)
        {
            errors.Invalid(path.Child("partition"), Get(value, "partition"), "must be between 0 and 255, inclusive");
        }
    }

    private static void Iscsi(ApiStruct iscsi, FieldPath path, ErrorList errors)
    {
        if (Get(iscsi, "targetPortal") is null or "")
        {
            errors.Required(path.Child("targetPortal"));
        }

        var iqn = Get(iscsi, "iqn") as string ?? "";
        if (iqn.Length == 0)
        {
            errors.Required(path.Child("iqn"));
        }
        else if (!(iqn.StartsWith("iqn.", StringComparison.Ordinal) && iqn.Contains('-')) && !iqn.StartsWith("eui.", StringComparison.Ordinal) && !iqn.StartsWith("naa.", StringComparison.Ordinal))
        {
            errors.Invalid(path.Child("iqn"), iqn, "must be valid format starting with iqn, eui, or naa");
        }

        if (Get(iscsi, "lun") is int lun && lun is < 0 or > 255)
        {
            errors.Invalid(path.Child("lun"), Get(iscsi, "lun"), "must be between 0 and 255, inclusive");
        }

        if ((Get(iscsi, "chapAuthDiscovery") is true || Get(iscsi, "chapAuthSession") is true) && Get(iscsi, "secretRef") is null)
        {
            errors.Required(path.Child("secretRef"));
        }
    }

    private static void FibreChannel(FCVolumeSource fc, FieldPath path, ErrorList errors)
    {
        var (hasNames, hasIds) = (fc.TargetWWNs is { Count: > 0 }, fc.Wwids is { Count: > 0 });
        if (!hasNames && !hasIds)
        {
            errors.Required(path.Child("targetWWNs"), "must specify either targetWWNs or wwids, but not both");
        }
        else if (hasNames && hasIds)
        {
            errors.Invalid(path.Child("targetWWNs"), string.Join(",", fc.TargetWWNs!), "targetWWNs and wwids can not be specified simultaneously");
        }
        else if (hasNames && fc.Lun is null)
        {
            errors.Required(path.Child("lun"), "lun is required if targetWWNs is specified");
        }
        else if (hasNames && fc.Lun is < 0 or > 255)
        {
            errors.Invalid(path.Child("lun"), fc.Lun, "must be between 0 and 255, inclusive");
        }
    }

    private static void Azure(AzureDiskVolumeSource azure, FieldPath path, ErrorList errors)
    {
        if (azure.CachingMode is { } caching && caching is not ("None" or "ReadOnly" or "ReadWrite"))
        {
            errors.NotSupported(path.Child("cachingMode"), caching, "None", "ReadOnly", "ReadWrite");
        }

        if (azure.Kind is { } kind && kind is not ("Shared" or "Dedicated" or "Managed"))
        {
            errors.NotSupported(path.Child("kind"), kind, "Dedicated", "Managed", "Shared");
        }
        else if (azure.DiskURI.Length > 0 && azure.DiskURI.StartsWith("https://", StringComparison.OrdinalIgnoreCase) == (azure.Kind == "Managed"))
        {
            errors.NotSupported(path.Child("diskURI"), azure.DiskURI, azure.Kind == "Managed" ? "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}" : "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd");
        }
    }
}
