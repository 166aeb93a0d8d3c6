using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What must hold of a container's mounts and devices.</summary>
internal static class MountValidation
{
    public static void Validate(List<VolumeMount>? mounts, Dictionary<string, Volume> volumes, FieldPath path, ErrorList errors)
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

            // Upstream reports sub-paths at the list, without the index.
            SubPath(errors, path.Child("subPath"), mount.SubPath);
            SubPath(errors, path.Child("subPathExpr"), mount.SubPathExpr);
            if (mount.SubPath.Length > 0 && mount.SubPathExpr.Length > 0)
            {
                errors.Invalid(at.Child("subPathExpr"), mount.SubPathExpr, "subPathExpr and subPath are mutually exclusive");
            }
        }
    }

    public static void ValidateDevices(List<VolumeDevice>? devices, Dictionary<string, Volume> volumes, FieldPath path, ErrorList errors)
    {
        for (var i = 0; i < devices?.Count; i++)
        {
            var at = path.Index(i);
            if (devices[i].Name.Length == 0)
            {
                errors.Required(at.Child("name"));
            }
            else if (!volumes.ContainsKey(devices[i].Name))
            {
                errors.NotFound(at.Child("name"), devices[i].Name);
            }

            if (devices[i].DevicePath.Length == 0)
            {
                errors.Required(at.Child("devicePath"));
            }
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
