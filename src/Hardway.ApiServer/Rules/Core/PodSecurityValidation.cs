using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What must hold of security contexts.</summary>
internal static class PodSecurityValidation
{
    private const long MaxId = int.MaxValue;

    public static void Validate(PodSpec spec, FieldPath path, ErrorList errors)
    {
        if (spec.SecurityContext is not { } context)
        {
            return;
        }

        var at = path.Child("securityContext");
        Id(errors, at.Child("runAsUser"), context.RunAsUser);
        Id(errors, at.Child("runAsGroup"), context.RunAsGroup);
        Id(errors, at.Child("fsGroup"), context.FsGroup);
        for (var i = 0; i < context.SupplementalGroups?.Count; i++)
        {
            Id(errors, at.Child("supplementalGroups").Index(i), context.SupplementalGroups[i]);
        }

        if (spec.ShareProcessNamespace == true && spec.HostPID)
        {
            errors.Invalid(at.Child("shareProcessNamespace"), true, "ShareProcessNamespace and HostPID cannot both be enabled");
        }

        Sysctls(context, spec, at.Child("sysctls"), errors);
        Seccomp(context.SeccompProfile, at.Child("seccompProfile"), errors);
        AppArmor(context.AppArmorProfile, at.Child("appArmorProfile"), errors);
        SchemaValidation.Enums(context, at, errors);
    }

    public static void Validate(SecurityContext? context, FieldPath path, ErrorList errors)
    {
        if (context is null)
        {
            return;
        }

        Id(errors, path.Child("runAsUser"), context.RunAsUser);
        Id(errors, path.Child("runAsGroup"), context.RunAsGroup);
        Seccomp(context.SeccompProfile, path.Child("seccompProfile"), errors);
        AppArmor(context.AppArmorProfile, path.Child("appArmorProfile"), errors);
        if (context.AllowPrivilegeEscalation == false && context.Privileged == true)
        {
            errors.Invalid(path, "", "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
        }

        if (context.AllowPrivilegeEscalation == false && context.Capabilities?.Add?.Any(c => c is "SYS_ADMIN" or "CAP_SYS_ADMIN") == true)
        {
            errors.Invalid(path, "", "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
        }
    }

    private static void Id(ErrorList errors, FieldPath path, long? id)
    {
        if (id is < 0 or > MaxId)
        {
            errors.Invalid(path, id, $"must be between 0 and {MaxId}");
        }
    }

    private static void Sysctls(PodSecurityContext context, PodSpec spec, FieldPath path, ErrorList errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < context.Sysctls?.Count; i++)
        {
            var name = context.Sysctls[i].Name;
            var at = path.Index(i).Child("name");
            if (name.Length == 0)
            {
                errors.Required(at);
            }
            else if (name.Length > 253 || !name.Split('.', '/').All(p => p.Length > 0 && p.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_')))
            {
                errors.Invalid(at, name, "is no name of a sysctl");
            }
            else if (!seen.Add(name))
            {
                errors.Duplicate(at, name);
            }

            if (spec.HostNetwork && name.Replace('/', '.').StartsWith("net.", StringComparison.Ordinal))
            {
                errors.Invalid(at, name, "may not be specified when 'hostNetwork' is true");
            }
        }
    }

    private static void Seccomp(SeccompProfile? profile, FieldPath path, ErrorList errors)
    {
        if (profile is null)
        {
            return;
        }

        Profile(errors, path, profile.Type, profile.LocalhostProfile);
        if (profile.Type == "Localhost" && profile.LocalhostProfile is { } file)
        {
            MountValidation.SubPath(errors, path.Child("localhostProfile"), file);
        }
    }

    private static void AppArmor(AppArmorProfile? profile, FieldPath path, ErrorList errors)
    {
        if (profile is not null)
        {
            Profile(errors, path, profile.Type, profile.LocalhostProfile);
        }
    }

    private static void Profile(ErrorList errors, FieldPath path, string type, string? localhost)
    {
        if (type.Length == 0)
        {
            errors.Required(path.Child("type"), "type is required when the profile is set");
        }
        else if (type == "Localhost" && string.IsNullOrEmpty(localhost))
        {
            errors.Required(path.Child("localhostProfile"), "must be set when type is Localhost");
        }
        else if (type != "Localhost" && localhost is not null)
        {
            errors.Invalid(path.Child("localhostProfile"), localhost, "can only be set when type is Localhost");
        }
    }
}
