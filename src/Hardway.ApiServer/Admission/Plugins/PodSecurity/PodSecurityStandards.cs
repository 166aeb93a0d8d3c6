using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;

namespace Hardway.ApiServer.Admission.Plugins.PodSecurity;

/// <summary>A rule that a Pod breaks: its name and where.</summary>
internal sealed record Violation(string Rule, string Detail)
{
    public override string ToString() => Detail.Length == 0 ? Rule : $"{Rule} ({Detail})";
}

/// <summary>The rules of the Pod Security Standards, in the order in which they are reported.</summary>
internal static class PodSecurityStandards
{
    private static readonly HashSet<string> s_capabilities = Set("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT");
    private static readonly HashSet<string> s_selinuxTypes = Set("", "container_t", "container_init_t", "container_kvm_t");
    private static readonly HashSet<string> s_sysctls = Set("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start");
    private static readonly Dictionary<string, int> s_laterSysctls = new(StringComparer.Ordinal)
    {
        ["net.ipv4.ip_local_reserved_ports"] = 27,
        ["net.ipv4.tcp_keepalive_time"] = 29,
        ["net.ipv4.tcp_fin_timeout"] = 29,
        ["net.ipv4.tcp_keepalive_intvl"] = 29,
        ["net.ipv4.tcp_keepalive_probes"] = 29,
        ["net.ipv4.tcp_rmem"] = 32,
        ["net.ipv4.tcp_wmem"] = 32,
    };

    public static List<Violation> Check(LevelVersion level, ObjectMeta meta, PodSpec spec)
    {
        var found = new List<Violation>();
        if (level.Level >= SecurityLevel.Baseline)
        {
            Baseline(new SecurityView(meta, spec), level, found);
        }

        if (level.Level == SecurityLevel.Restricted)
        {
            Restricted(new SecurityView(meta, spec), level, found);
        }

        return found;
    }

    private static void Baseline(SecurityView pod, LevelVersion level, List<Violation> found)
    {
        var isRestricted = level.Level == SecurityLevel.Restricted;
        AppArmor(pod, found);
        if (!isRestricted)
        {
            Capabilities(pod, found);
        }

        HostNamespaces(pod.Spec, found);
        Volumes(pod, "hostPath volumes", v => v.HostPath is not null, v => "", found);
        var ports = pod.Containers.SelectMany(c => c.HostPorts.Select(p => (c.Name, p))).ToList();
        Add(found, "hostPort", pod.Names(ports.Select(p => p.Name)) is { Length: > 0 } users ? $"{users} {(ports.Select(p => p.Name).Distinct().Count() > 1 ? "use hostPorts" : ports.Count > 1 ? "uses hostPorts" : "uses hostPort")} {string.Join(", ", ports.Select(p => p.p).Distinct())}" : "");
        if (level.Has(34))
        {
            var hosts = pod.Containers.SelectMany(c => c.ProbeHosts.Select(h => (c.Name, h))).ToList();
            Add(found, "probe or lifecycle host", hosts.Count == 0 ? "" : $"{pod.Names(hosts.Select(h => h.Name))} {(hosts.Count > 1 ? "use probe or lifecycle hosts" : "uses probe or lifecycle host")} {string.Join(", ", hosts.Select(h => $"\"{h.h}\"").Distinct())}");
        }

        Must(pod, found, "privileged", c => c.Context?.Privileged == true, "must not set securityContext.privileged=true");
        if (!isRestricted || !level.Has(19))
        {
            Seccomp(pod, found);
        }

        // With user namespaces a container's view of /proc and its root are its own.
        if (pod.Spec.HostUsers != false || !level.Has(35) || isRestricted)
        {
            ProcMount(pod, found);
        }

        SeLinux(pod, found);
        Sysctls(pod, level, found);
        WindowsHostProcess(pod, found);
    }

    private static void Restricted(SecurityView pod, LevelVersion level, List<Violation> found)
    {
        if (pod.Spec.Os?.Name != "windows" || !level.Has(25))
        {
            Must(pod, found, "allowPrivilegeEscalation != false", c => c.Context?.AllowPrivilegeEscalation != false, "must set securityContext.allowPrivilegeEscalation=false");
            RestrictedCapabilities(pod, found);
        }

        Volumes(pod, "restricted volume types", v => RestrictedVolumeType(v).Length > 0, v => $" restricted volume type \"{RestrictedVolumeType(v)}\"", found);
        RunAs(pod, level, found);
        if (level.Has(19) && (pod.Spec.Os?.Name != "windows" || !level.Has(25)))
        {
            RestrictedSeccomp(pod, found);
        }
    }

    private static void AppArmor(SecurityView pod, List<Violation> found)
    {
        const string prefix = "container.apparmor.security.beta.kubernetes.io/";
        var wrong = (pod.Meta.Annotations ?? []).Where(a => a.Key.StartsWith(prefix, StringComparison.Ordinal) && !(a.Value.Length == 0 || a.Value == "runtime/default" || a.Value.StartsWith("localhost/", StringComparison.Ordinal))).Select(a => $"{a.Key}=\"{a.Value}\"").ToList();
        if (pod.Spec.SecurityContext?.AppArmorProfile?.Type == "Unconfined")
        {
            wrong.Add("pod must not set AppArmor profile type to \"Unconfined\"");
        }

        if (pod.Names(pod.Containers.Where(c => c.Context?.AppArmorProfile?.Type == "Unconfined").Select(c => c.Name)) is { Length: > 0 } names)
        {
            wrong.Add($"{names} must not set AppArmor profile type to \"Unconfined\"");
        }

        Add(found, wrong.Count > 1 ? "forbidden AppArmor profiles" : "forbidden AppArmor profile", string.Join("; ", wrong));
    }

    private static void Capabilities(SecurityView pod, List<Violation> found)
    {
        var wrong = pod.Containers.Where(c => (c.Context?.Capabilities?.Add ?? []).Any(a => !s_capabilities.Contains(a))).ToList();
        if (wrong.Count > 0)
        {
            var names = wrong.SelectMany(c => c.Context!.Capabilities!.Add!).Where(a => !s_capabilities.Contains(a)).Distinct().Order(StringComparer.Ordinal).Select(n => $"\"{n}\"");
            Add(found, "non-default capabilities", $"{pod.Names(wrong.Select(c => c.Name))} must not include {string.Join(", ", names)} in securityContext.capabilities.add");
        }
    }

    private static void RestrictedCapabilities(SecurityView pod, List<Violation> found)
    {
        var details = new List<string>();
        if (pod.Names(pod.Containers.Where(c => !(c.Context?.Capabilities?.Drop ?? []).Contains("ALL")).Select(c => c.Name)) is { Length: > 0 } noDrop)
        {
            details.Add($"{noDrop} must set securityContext.capabilities.drop=[\"ALL\"]");
        }

        var adding = pod.Containers.Where(c => (c.Context?.Capabilities?.Add ?? []).Any(a => a != "NET_BIND_SERVICE")).ToList();
        if (adding.Count > 0)
        {
            var names = adding.SelectMany(c => c.Context!.Capabilities!.Add!).Where(a => a != "NET_BIND_SERVICE").Distinct().Order(StringComparer.Ordinal).Select(n => $"\"{n}\"");
            details.Add($"{pod.Names(adding.Select(c => c.Name))} must not include {string.Join(", ", names)} in securityContext.capabilities.add");
        }

        Add(found, "unrestricted capabilities", string.Join("; ", details));
    }

    private static void HostNamespaces(PodSpec spec, List<Violation> found)
    {
        var used = new List<string>();
        if (spec.HostNetwork)
        {
            used.Add("hostNetwork=true");
        }

        if (spec.HostPID)
        {
            used.Add("hostPID=true");
        }

        if (spec.HostIPC)
        {
            used.Add("hostIPC=true");
        }

        Add(found, "host namespaces", string.Join(", ", used));
    }

    private static void Volumes(SecurityView pod, string rule, Func<Volume, bool> isWrong, Func<Volume, string> how, List<Violation> found)
    {
        var wrong = (pod.Spec.Volumes ?? []).Where(isWrong).ToList();
        if (wrong.Count > 0)
        {
            var names = string.Join(", ", wrong.Select(v => $"\"{v.Name}\""));
            var details = string.Join(", ", wrong.Select(how).Distinct());
            Add(found, rule, $"volume{(wrong.Count > 1 ? "s" : "")} {names}" + (details.Length == 0 ? "" : (wrong.Count > 1 ? " use" : " uses") + details));
        }
    }

    private static string RestrictedVolumeType(Volume v) =>
        v switch
        {
            { HostPath: not null } => "hostPath",
            { GcePersistentDisk: not null } => "gcePersistentDisk",
            { AwsElasticBlockStore: not null } => "awsElasticBlockStore",
            { GitRepo: not null } => "gitRepo",
            { Nfs: not null } => "nfs",
            { Iscsi: not null } => "iscsi",
            { Glusterfs: not null } => "glusterfs",
            { Rbd: not null } => "rbd",
            { FlexVolume: not null } => "flexVolume",
            { Cinder: not null } => "cinder",
            { Cephfs: not null } => "cephfs",
            { Flocker: not null } => "flocker",
            { Fc: not null } => "fc",
            { AzureFile: not null } => "azureFile",
            { VsphereVolume: not null } => "vsphereVolume",
            { Quobyte: not null } => "quobyte",
            { AzureDisk: not null } => "azureDisk",
            { PortworxVolume: not null } => "portworxVolume",
            { ScaleIO: not null } => "scaleIO",
            { Storageos: not null } => "storageos",
            { PhotonPersistentDisk: not null } => "photonPersistentDisk",
            _ => "",
        };

    private static void Seccomp(SecurityView pod, List<Violation> found)
    {
        var who = new List<string>();
        if (pod.Spec.SecurityContext?.SeccompProfile?.Type == "Unconfined")
        {
            who.Add("pod");
        }

        if (pod.Names(pod.Containers.Where(c => c.Context?.SeccompProfile?.Type == "Unconfined").Select(c => c.Name)) is { Length: > 0 } names)
        {
            who.Add(names);
        }

        Add(found, "seccompProfile", who.Count == 0 ? "" : $"{string.Join(" and ", who)} must not set securityContext.seccompProfile.type to \"Unconfined\"");
    }

    private static void RestrictedSeccomp(SecurityView pod, List<Violation> found)
    {
        var podType = pod.Spec.SecurityContext?.SeccompProfile?.Type;
        var podIsGood = podType is "RuntimeDefault" or "Localhost";
        var explicitly = pod.Containers.Where(c => c.Context?.SeccompProfile?.Type is { } type && type is not ("RuntimeDefault" or "Localhost")).Select(c => c.Name).ToList();
        var details = new List<string>();
        if (podType is not null && !podIsGood)
        {
            explicitly.Insert(0, "");
        }

        if (explicitly.Count > 0)
        {
            var who = string.Join(" and ", new[] { explicitly.Contains("") ? "pod" : "", pod.Names(explicitly.Where(n => n.Length > 0)) }.Where(s => s.Length > 0));
            details.Add($"{who} must not set securityContext.seccompProfile.type to \"Unconfined\"");
        }

        var silent = pod.Containers.Where(c => c.Context?.SeccompProfile is null).Select(c => c.Name).ToList();
        if (explicitly.Count == 0 && !podIsGood && silent.Count > 0)
        {
            details.Add($"pod or {pod.Names(silent)} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"");
        }

        Add(found, "seccompProfile", string.Join("; ", details));
    }

    private static void ProcMount(SecurityView pod, List<Violation> found) =>
        Must(pod, found, "procMount", c => c.Context?.ProcMount is { } mount && mount != "Default", "must not set securityContext.procMount to \"Unmasked\"");

    private static void SeLinux(SecurityView pod, List<Violation> found)
    {
        var all = pod.Containers.Select(c => (c.Name, Options: c.Context?.SeLinuxOptions))
            .Append((Name: "", Options: pod.Spec.SecurityContext?.SeLinuxOptions))
            .Where(o => o.Options is not null && IsForbidden(o.Options)).ToList();
        if (all.Count == 0)
        {
            return;
        }

        var who = string.Join(" and ", new[] { all.Any(a => a.Name.Length == 0) ? "pod" : "", pod.Names(all.Where(a => a.Name.Length > 0).Select(a => a.Name)) }.Where(s => s.Length > 0));
        var what = new List<string>();
        var types = all.Select(a => a.Options!.Type).Where(t => !IsType(t)).Distinct().ToList();
        if (types.Count > 0)
        {
            what.Add((types.Count > 1 ? "types " : "type ") + string.Join(", ", types.Select(t => $"\"{t}\"")));
        }

        if (all.Any(a => a.Options!.User.Length > 0))
        {
            what.Add("user may not be set");
        }

        if (all.Any(a => a.Options!.Role.Length > 0))
        {
            what.Add("role may not be set");
        }

        Add(found, "seLinuxOptions", $"{who} set forbidden securityContext.seLinuxOptions: {string.Join("; ", what)}");

        static bool IsForbidden(SELinuxOptions o) => !IsType(o.Type) || o.User.Length > 0 || o.Role.Length > 0;
        static bool IsType(string type) => s_selinuxTypes.Contains(type) || type == "container_engine_t";
    }

    private static void Sysctls(SecurityView pod, LevelVersion level, List<Violation> found)
    {
        var names = (pod.Spec.SecurityContext?.Sysctls ?? []).Select(s => s.Name).Where(n => !s_sysctls.Contains(n) && !(s_laterSysctls.TryGetValue(n, out var since) && level.Has(since)));
        Add(found, "forbidden sysctls", string.Join(", ", names));
    }

    private static void WindowsHostProcess(SecurityView pod, List<Violation> found)
    {
        var who = new List<string>();
        if (pod.Spec.SecurityContext?.WindowsOptions?.HostProcess == true)
        {
            who.Add("pod");
        }

        if (pod.Names(pod.Containers.Where(c => c.Context?.WindowsOptions?.HostProcess == true).Select(c => c.Name)) is { Length: > 0 } names)
        {
            who.Add(names);
        }

        Add(found, "hostProcess", who.Count == 0 ? "" : $"{string.Join(" and ", who)} must not set securityContext.windowsOptions.hostProcess=true");
    }

    private static void RunAs(SecurityView pod, LevelVersion level, List<Violation> found)
    {
        var ofPod = pod.Spec.SecurityContext?.RunAsNonRoot;
        var explicitly = pod.Containers.Where(c => c.Context?.RunAsNonRoot == false).Select(c => c.Name).ToList();
        var details = new List<string>();
        if (ofPod == false || explicitly.Count > 0)
        {
            var who = string.Join(" and ", new[] { ofPod == false ? "pod" : "", pod.Names(explicitly) }.Where(s => s.Length > 0));
            details.Add($"{who} must not set securityContext.runAsNonRoot=false");
        }
        else if (ofPod != true && pod.Containers.Where(c => c.Context?.RunAsNonRoot is null).Select(c => c.Name).ToList() is { Count: > 0 } silent)
        {
            details.Add($"pod or {pod.Names(silent)} must set securityContext.runAsNonRoot=true");
        }

        Add(found, "runAsNonRoot != true", string.Join("; ", details));
        if (level.Has(23))
        {
            var who = new[] { pod.Spec.SecurityContext?.RunAsUser == 0 ? "pod" : "", pod.Names(pod.Containers.Where(c => c.Context?.RunAsUser == 0).Select(c => c.Name)) }.Where(s => s.Length > 0).ToList();
            Add(found, "runAsUser=0", who.Count == 0 ? "" : $"{string.Join(" and ", who)} must not set runAsUser=0");
        }
    }

    private static void Must(SecurityView pod, List<Violation> found, string rule, Func<ContainerView, bool> isWrong, string must) =>
        Add(found, rule, pod.Names(pod.Containers.Where(isWrong).Select(c => c.Name)) is { Length: > 0 } names ? $"{names} {must}" : "");

    private static void Add(List<Violation> found, string rule, string detail)
    {
        if (detail.Length > 0)
        {
            found.Add(new Violation(rule, detail));
        }
    }

    private static HashSet<string> Set(params string[] values) => new(values, StringComparer.Ordinal);
}
