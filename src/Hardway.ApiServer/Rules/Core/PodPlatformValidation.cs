using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>What must hold of what a Pod says of its node: the operating system, the runtime class, the priority.</summary>
internal static class PodPlatformValidation
{
    public static void Validate(PodSpec spec, FieldPath path, ErrorList errors)
    {
        if (spec.RuntimeClassName is { } runtime)
        {
            Names.CheckDnsSubdomain(errors, path.Child("runtimeClassName"), runtime);
        }

        if (spec.PriorityClassName.Length > 0)
        {
            Names.CheckDnsSubdomain(errors, path.Child("priorityClassName"), spec.PriorityClassName);
        }

        if (spec.PreemptionPolicy is { } preemption)
        {
            PodSpecValidation.OneOf(errors, path.Child("preemptionPolicy"), preemption, "PreemptLowerPriority", "Never");
        }

        if (spec.SetHostnameAsFQDN == true && spec.HostnameOverride is not null)
        {
            errors.Forbidden(path.Child("setHostnameAsFQDN"), "may not be set with hostnameOverride");
        }

        if (spec.Os is { } os)
        {
            PodSpecValidation.OneOf(errors, path.Child("os", "name"), os.Name, "linux", "windows");
            switch (os.Name)
            {
                case "linux":
                    Linux(spec, path, errors);
                    break;
                case "windows":
                    Windows(spec, path, errors);
                    break;
            }
        }
    }

    private static void Linux(PodSpec spec, FieldPath path, ErrorList errors)
    {
        if (spec.SecurityContext?.WindowsOptions is not null)
        {
            errors.Forbidden(path.Child("securityContext", "windowsOptions"), "windows options cannot be set for a linux pod");
        }

        foreach (var (context, at) in Contexts(spec, path))
        {
            if (context.WindowsOptions is not null)
            {
                errors.Forbidden(at.Child("windowsOptions"), "cannot be set for a linux pod");
            }
        }
    }

    private static void Windows(PodSpec spec, FieldPath path, ErrorList errors)
    {
        foreach (var (name, isSet) in new[] { ("hostPID", spec.HostPID), ("hostIPC", spec.HostIPC), ("hostUsers", spec.HostUsers is not null), ("shareProcessNamespace", spec.ShareProcessNamespace is not null) })
        {
            if (isSet)
            {
                errors.Forbidden(path.Child(name), "cannot be set for a windows pod");
            }
        }

        Forbid(spec.SecurityContext, ["appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls", "runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy"], path.Child("securityContext"), errors);
        foreach (var (context, at) in Contexts(spec, path))
        {
            Forbid(context, ["appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged", "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup"], at, errors);
        }
    }

    private static void Forbid(Api.ApiStruct? context, ReadOnlySpan<string> names, FieldPath path, ErrorList errors)
    {
        foreach (var name in names)
        {
            if (context?.StructSchema.Field(name) is { } field && context.Get(field.Ordinal) is not null)
            {
                errors.Forbidden(path.Child(name), "cannot be set for a windows pod");
            }
        }
    }

    private static IEnumerable<(SecurityContext Context, FieldPath Path)> Contexts(PodSpec spec, FieldPath path)
    {
        foreach (var (name, containers) in new[] { ("containers", spec.Containers), ("initContainers", spec.InitContainers) })
        {
            for (var i = 0; i < containers?.Count; i++)
            {
                if (containers[i].SecurityContext is { } context)
                {
                    yield return (context, path.Child(name).Index(i).Child("securityContext"));
                }
            }
        }
    }
}
