using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What must hold of a Pod's volumes.</summary>
internal static class VolumeValidation
{
    private static readonly string[] s_order =
    [
        "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs", "persistentVolumeClaim", "rbd", "cinder", "cephfs",
        "flocker", "downwardAPI", "fc", "configMap", "azureFile", "vsphereVolume", "quobyte", "azureDisk", "storageos", "photonPersistentDisk", "portworxVolume", "scaleIO", "projected",
        "csi", "ephemeral", "image",
    ];

    private static readonly string[] s_hostPathTypes = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

    /// <summary>Returns the volumes by name, for the mounts.</summary>
    public static Dictionary<string, Volume> Validate(List<Volume>? volumes, FieldPath path, ErrorList errors)
    {
        var known = new Dictionary<string, Volume>(StringComparer.Ordinal);
        for (var i = 0; i < volumes?.Count; i++)
        {
            var volume = volumes[i];
            var at = path.Index(i);
            var before = errors.Count;
            Source(volume, at, errors);
            if (volume.Name.Length == 0)
            {
                errors.Required(at.Child("name"));
            }
            else if (!Names.IsDnsLabel(volume.Name))
            {
                Names.CheckDnsLabel(errors, at.Child("name"), volume.Name);
            }
            else if (known.ContainsKey(volume.Name))
            {
                errors.Duplicate(at.Child("name"), volume.Name);
            }

            // What is faulty cannot be mounted.
            if (errors.Count == before)
            {
                known[volume.Name] = volume;
            }
        }

        return known;
    }

    private static void Source(Volume volume, FieldPath path, ErrorList errors)
    {
        OneSource(volume, s_order, path, errors);

        Files(volume, path, errors);
        if (volume.EmptyDir?.SizeLimit is { Sign: < 0 } size)
        {
            errors.Forbidden(path.Child("emptyDir", "sizeLimit"), $"must be at least 0, not {size}");
        }

        if (volume.HostPath is { } host)
        {
            HostPath(host, path.Child("hostPath"), errors);
        }

        if (volume.PersistentVolumeClaim is { ClaimName.Length: 0 })
        {
            errors.Required(path.Child("persistentVolumeClaim", "claimName"));
        }

        DiskValidation.Validate(volume, path, errors);
        if (volume.Nfs is { } nfs)
        {
            Nfs(nfs, path.Child("nfs"), errors);
        }

        if (volume.Csi is { } csi)
        {
            Storage.PersistentVolumeSources.Driver(csi.Driver, path.Child("csi", "driver"), errors);
            if (csi.NodePublishSecretRef is { Name.Length: 0 })
            {
                errors.Required(path.Child("csi", "nodePublishSecretRef", "name"));
            }
        }

        if (volume.Ephemeral is { } ephemeral)
        {
            Ephemeral(ephemeral, path.Child("ephemeral", "volumeClaimTemplate"), errors);
        }

        if (volume.Image is { } image && image.PullPolicy is not ("Always" or "IfNotPresent" or "Never"))
        {
            errors.NotSupported(path.Child("image", "pullPolicy"), image.PullPolicy, "Always", "IfNotPresent", "Never");
        }
    }

    /// <summary>Exactly one source. Of several, upstream refuses all but the first in an order of its own.</summary>
    public static void OneSource(ApiStruct value, ReadOnlySpan<string> order, FieldPath path, ErrorList errors)
    {
        var sources = 0;
        foreach (var name in order)
        {
            if (value.StructSchema.Field(name) is { } field && value.Get(field.Ordinal) is not null && sources++ > 0)
            {
                errors.Forbidden(path.Child(name), "may not specify more than 1 volume type");
            }
        }

        if (sources == 0)
        {
            errors.Required(path, "must specify a volume type");
        }
    }

    public static void HostPath(HostPathVolumeSource host, FieldPath path, ErrorList errors)
    {
        if (host.Path.Length == 0)
        {
            errors.Required(path.Child("path"));
        }
        else if (host.Path.Split('/').Contains(".."))
        {
            errors.Invalid(path.Child("path"), host.Path, "must not contain '..'");
        }

        if (host.Type is { } type && !s_hostPathTypes.Contains(type))
        {
            errors.NotSupported(path.Child("type"), type, s_hostPathTypes);
        }
    }

    private static void Ephemeral(EphemeralVolumeSource ephemeral, FieldPath path, ErrorList errors)
    {
        if (ephemeral.VolumeClaimTemplate is not { } template)
        {
            errors.Required(path);
            return;
        }

        Names.CheckLabels(errors, path.Child("metadata", "labels"), template.Metadata.Labels);
        Storage.ClaimSpecValidation.Validate(template.Spec, path.Child("spec"), errors);
    }

    public static void Nfs(NFSVolumeSource nfs, FieldPath path, ErrorList errors)
    {
        if (nfs.Server.Length == 0)
        {
            errors.Required(path.Child("server"));
        }

        if (nfs.Path.Length == 0)
        {
            errors.Required(path.Child("path"));
        }
        else if (!nfs.Path.StartsWith('/'))
        {
            errors.Invalid(path.Child("path"), nfs.Path, "must be an absolute path");
        }
    }

    private static void Files(Volume volume, FieldPath path, ErrorList errors)
    {
        if (volume.Secret is { } secret)
        {
            if (secret.SecretName.Length == 0)
            {
                errors.Required(path.Child("secret", "secretName"));
            }

            Mode(errors, path.Child("secret", "defaultMode"), secret.DefaultMode);
            Items(secret.Items, path.Child("secret", "items"), errors);
        }

        if (volume.ConfigMap is { } map)
        {
            if (map.Name.Length == 0)
            {
                errors.Required(path.Child("configMap", "name"));
            }

            Mode(errors, path.Child("configMap", "defaultMode"), map.DefaultMode);
            Items(map.Items, path.Child("configMap", "items"), errors);
        }

        if (volume.DownwardAPI is { } downward)
        {
            Mode(errors, path.Child("downwardAPI", "defaultMode"), downward.DefaultMode);
            Downward(downward.Items, path.Child("downwardAPI", "items"), errors);
        }

        if (volume.Projected is { } projected)
        {
            Projected(projected, path.Child("projected"), errors);
        }
    }

    private static void Projected(ProjectedVolumeSource projected, FieldPath path, ErrorList errors)
    {
        Mode(errors, path.Child("defaultMode"), projected.DefaultMode);
        for (var i = 0; i < projected.Sources?.Count; i++)
        {
            var source = projected.Sources[i];
            var at = path.Child("sources").Index(i);
            var kinds = 0;
            foreach (var field in VolumeProjection.TypeSchema.Fields)
            {
                if (source.Get(field.Ordinal) is not null && kinds++ > 0)
                {
                    errors.Forbidden(at.Child(field.Name), "may not specify more than 1 volume type");
                }
            }

            if (kinds == 0)
            {
                errors.Required(at, "must specify a source");
            }

            Items(source.Secret?.Items, at.Child("secret", "items"), errors);
            Items(source.ConfigMap?.Items, at.Child("configMap", "items"), errors);
            Downward(source.DownwardAPI?.Items, at.Child("downwardAPI", "items"), errors);
            if (source.Secret is { Name.Length: 0 })
            {
                errors.Required(at.Child("secret", "name"));
            }

            if (source.ConfigMap is { Name.Length: 0 })
            {
                errors.Required(at.Child("configMap", "name"));
            }

            Token(source.ServiceAccountToken, at.Child("serviceAccountToken"), errors);
        }
    }

    private static void Token(ServiceAccountTokenProjection? token, FieldPath path, ErrorList errors)
    {
        if (token is null)
        {
            return;
        }

        if (token.ExpirationSeconds < 600)
        {
            errors.Invalid(path.Child("expirationSeconds"), token.ExpirationSeconds, "may not specify a duration less than 10 minutes");
        }
        else if (token.ExpirationSeconds > 1L << 32)
        {
            errors.Invalid(path.Child("expirationSeconds"), token.ExpirationSeconds, "may not specify a duration larger than 2^32 seconds");
        }

        if (token.Path.Length == 0)
        {
            errors.Required(path.Child("path"));
        }
        else
        {
            FilePath(errors, path.Child("path"), token.Path);
        }
    }

    private static void Items(List<KeyToPath>? items, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < items?.Count; i++)
        {
            var at = path.Index(i);
            if (items[i].Key.Length == 0)
            {
                errors.Required(at.Child("key"));
            }

            if (items[i].Path.Length == 0)
            {
                errors.Required(at.Child("path"));
            }
            else
            {
                FilePath(errors, at.Child("path"), items[i].Path);
            }

            Mode(errors, at.Child("mode"), items[i].Mode);
        }
    }

    private static void Downward(List<DownwardAPIVolumeFile>? items, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < items?.Count; i++)
        {
            var item = items[i];
            var at = path.Index(i);
            if (item.Path.Length == 0)
            {
                errors.Required(at.Child("path"));
            }
            else
            {
                FilePath(errors, at.Child("path"), item.Path);
            }

            if (item.FieldRef is { } field)
            {
                FieldReference.Check(errors, at.Child("fieldRef"), field, FieldReference.File);
                if (item.ResourceFieldRef is not null)
                {
                    errors.Invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
                }
            }
            else if (item.ResourceFieldRef is { } resource)
            {
                FieldReference.CheckResource(errors, at.Child("resourceFieldRef"), resource, needContainer: true);
            }
            else
            {
                errors.Required(at, "one of fieldRef and resourceFieldRef is required");
            }

            Mode(errors, at.Child("mode"), item.Mode);
        }
    }

    private static void FilePath(ErrorList errors, FieldPath path, string value)
    {
        MountValidation.SubPath(errors, path, value);
        if (value.StartsWith("..", StringComparison.Ordinal) && !value.StartsWith("../", StringComparison.Ordinal))
        {
            errors.Invalid(path, value, "must not start with '..'");
        }
    }

    private static void Mode(ErrorList errors, FieldPath path, int? mode)
    {
        if (mode is < 0 or > 511)
        {
            errors.Invalid(path, mode, "must be a file mode between 0 and 0777 (octal), 511 (decimal)");
        }
    }
}
