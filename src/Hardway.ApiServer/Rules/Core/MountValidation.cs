using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What must hold of a container's mounts and devices.</summary>
internal static class MountValidation
{
    public static void Validate(List<VolumeMount>? mounts, Dictionary<string, Volume> volumes, bool isPrivileged, FieldPath path, ErrorList errors)
    {
        var paths = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < mounts?.Count; i++)
        {
            var mount = mounts[i];
            var at = path.Index(i);
            if (mount.Name.Length == 0)
            {
                errors.Required(at.Child("name"));
            }
            else if (!volumes.ContainsKey(mount.Name))
            {
                errors.NotFound(at.Child("name"), mount.Name);
            }

            if (mount.MountPath.Length == 0)
            {
                errors.Required(at.Child("mountPath"));
            }
            else if (!paths.Add(mount.MountPath))
            {
                errors.Invalid(at.Child("mountPath"), mount.MountPath, "must be unique");
            }

            Sharing(mount, isPrivileged, at, errors);
            // Upstream reports sub-paths at the list, without the index.
            SubPath(errors, path.Child("subPath"), mount.SubPath);
            SubPath(errors, path.Child("subPathExpr"), mount.SubPathExpr);
            if (mount.SubPath.Length > 0 && mount.SubPathExpr.Length > 0)
            {
                errors.Invalid(at.Child("subPathExpr"), mount.SubPathExpr, "subPathExpr and subPath are mutually exclusive");
            }
        }
    }

    public static void ValidateDevices(List<VolumeDevice>? devices, List<VolumeMount>? mounts, Dictionary<string, Volume> volumes, FieldPath path, ErrorList errors)
    {
        var (names, paths) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        for (var i = 0; i < devices?.Count; i++)
        {
            var device = devices[i];
            var at = path.Index(i);
            if (device.Name.Length == 0)
            {
                errors.Required(at.Child("name"));
            }

            if (!names.Add(device.Name))
            {
                errors.Invalid(at.Child("name"), device.Name, "must be unique");
            }

            if (!volumes.TryGetValue(device.Name, out var volume))
            {
                errors.NotFound(at.Child("name"), device.Name);
            }
            else if (volume is { PersistentVolumeClaim: null, Ephemeral: null })
            {
                errors.Invalid(at.Child("name"), device.Name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
            }

            if (device.DevicePath.Length == 0)
            {
                errors.Required(at.Child("devicePath"));
            }

            if (!paths.Add(device.DevicePath))
            {
                errors.Invalid(at.Child("devicePath"), device.DevicePath, "must be unique");
            }

            if (device.DevicePath.Split('/').Contains(".."))
            {
                errors.Invalid(at.Child("devicePath"), device.DevicePath, "can not contain backsteps ('..')");
            }

            if (mounts?.Exists(m => m.Name == device.Name) == true)
            {
                errors.Invalid(at.Child("name"), device.Name, "must not already exist in volumeMounts");
            }

            if (mounts?.Exists(m => m.MountPath == device.DevicePath) == true)
            {
                errors.Invalid(at.Child("devicePath"), device.DevicePath, "must not already exist as a path in volumeMounts");
            }
        }
    }

    /// <summary>Mounts that the node sees too, and such that are read-only all the way down.</summary>
    private static void Sharing(VolumeMount mount, bool isPrivileged, FieldPath path, ErrorList errors)
    {
        if (mount.MountPropagation == "Bidirectional" && !isPrivileged)
        {
            errors.Forbidden(path.Child("mountPropagation"), "Bidirectional mount propagation is available only to privileged containers");
        }

        var at = path.Child("recursiveReadOnly");
        switch (mount.RecursiveReadOnly)
        {
            case null or "Disabled":
                break;
            case "Enabled" or "IfPossible":
                if (!mount.ReadOnly)
                {
                    errors.Forbidden(at, "may only be specified when readOnly is true");
                }

                if (mount.MountPropagation is not (null or "None"))
                {
                    errors.Forbidden(at, "may only be specified when mountPropagation is None or not specified");
                }

                break;
            default:
                errors.NotSupported(at, mount.RecursiveReadOnly, "Disabled", "Enabled", "IfPossible");
                break;
        }
    }

    public static void SubPath(ErrorList errors, FieldPath path, string value)
    {
        if (value.StartsWith('/'))
        {
            errors.Invalid(path, value, "must be a relative path");
        }

        if (value.Split('/').Contains(".."))
        {
            errors.Invalid(path, value, "must not contain '..'");
        }
    }
}
