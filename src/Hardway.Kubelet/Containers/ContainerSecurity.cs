using Hardway.Api.Core.V1;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Sandboxes;
using Container = Hardway.Api.Core.V1.Container;

namespace Hardway.Kubelet.Containers;

/// <summary>A container's security context in the runtime's terms: the container's own fields over the Pod's. Pure.</summary>
internal static class ContainerSecurity
{
    private static readonly string[] Masked =
    [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
        "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
    ];

    private static readonly string[] ReadOnly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

    /// <param name="imageUid">The image's user, when it is a number (none given: root).</param>
    /// <param name="imageUser">The image's user, when it is a name.</param>
    public static LinuxContainerSecurityContext Build(Pod pod, Container container, long? imageUid, string imageUser, string seccompRoot, string? targetId, bool seccompDefault = false)
    {
        var whole = pod.Spec.SecurityContext;
        var own = container.SecurityContext;
        var user = own?.RunAsUser ?? whole?.RunAsUser;
        var group = own?.RunAsGroup ?? whole?.RunAsGroup;
        VerifyNonRoot(own?.RunAsNonRoot ?? whole?.RunAsNonRoot, user, imageUid, imageUser);
        var result = new LinuxContainerSecurityContext
        {
            Privileged = own?.Privileged == true,
            ReadonlyRootfs = own?.ReadOnlyRootFilesystem == true,
            NoNewPrivs = own?.AllowPrivilegeEscalation == false,
            NamespaceOptions = SandboxConfigBuilder.Namespaces(pod),
            Seccomp = Seccomp(own?.SeccompProfile ?? whole?.SeccompProfile, own?.Privileged == true, seccompRoot, seccompDefault),
            Apparmor = AppArmor(own?.AppArmorProfile ?? whole?.AppArmorProfile),
            SupplementalGroupsPolicy = whole?.SupplementalGroupsPolicy == "Strict" ? SupplementalGroupsPolicy.Strict : SupplementalGroupsPolicy.Merge,
        };
        if (targetId != null)
        {
            result.NamespaceOptions.Pid = NamespaceMode.Target;
            result.NamespaceOptions.TargetId = targetId;
        }
        if (user is { } uid)
            result.RunAsUser = new Int64Value { Value = uid };
        else if (group != null && imageUser.Length > 0)
            result.RunAsUsername = imageUser;
        else if (group != null)
            result.RunAsUser = new Int64Value { Value = imageUid ?? 0 };
        if (group is { } gid)
            result.RunAsGroup = new Int64Value { Value = gid };
        if (own?.Capabilities is { } capabilities)
        {
            result.Capabilities = new Capability();
            result.Capabilities.AddCapabilities.Add(capabilities.Add ?? []);
            result.Capabilities.DropCapabilities.Add(capabilities.Drop ?? []);
        }
        result.SupplementalGroups.Add(SandboxConfigBuilder.SupplementalGroups(pod));
        if (own?.ProcMount != "Unmasked")
        {
            result.MaskedPaths.Add(Masked);
            result.ReadonlyPaths.Add(ReadOnly);
        }
        return result;
    }

    private static void VerifyNonRoot(bool? nonRoot, long? user, long? imageUid, string imageUser)
    {
        if (nonRoot != true)
            return;
        if (user == 0)
            throw Refused("container's runAsUser breaks non-root policy");
        if (user != null)
            return;
        if (imageUser.Length > 0)
            throw Refused($"container has runAsNonRoot and image has non-numeric user ({imageUser}), cannot verify user is non-root");
        if (imageUid is null or 0)
            throw Refused("container has runAsNonRoot and image will run as root");
    }

    private static SecurityProfile Seccomp(SeccompProfile? profile, bool privileged, string root, bool byDefault) => (profile?.Type ?? (byDefault ? "RuntimeDefault" : "")) switch
    {
        "RuntimeDefault" when !privileged => new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.RuntimeDefault },
        "Localhost" when profile!.LocalhostProfile is { Length: > 0 } name => new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.Localhost, LocalhostRef = InsideRoot(root, name) },
        _ => new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.Unconfined },
    };

    private static string InsideRoot(string root, string name) =>
        name.Split('/').Contains("..") || name.StartsWith('/') ? throw Refused($"seccomp profile '{name}' must be a path below the kubelet's seccomp directory") : $"{root}/{name}";

    private static SecurityProfile? AppArmor(AppArmorProfile? profile) => profile?.Type switch
    {
        "RuntimeDefault" => new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.RuntimeDefault },
        "Unconfined" => new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.Unconfined },
        "Localhost" => new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.Localhost, LocalhostRef = profile.LocalhostProfile ?? "" },
        _ => null,
    };

    private static ContainerConfigException Refused(string message) => new("CreateContainerConfigError", message);
}
