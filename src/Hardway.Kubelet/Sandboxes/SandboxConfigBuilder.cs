using Hardway.Api.Core.V1;
using Hardway.Kubelet.Configuration;
using Hardway.Kubelet.Cri;
using Hardway.Kubelet.Logs;
using Hardway.Kubelet.Network;
using Hardway.Kubelet.Pods;
using Hardway.Kubelet.Qos;
using Hardway.Kubelet.Runtime;

namespace Hardway.Kubelet.Sandboxes;

/// <summary>Makes the CRI description of a Pod's sandbox: names, DNS, ports, namespaces, cgroup, log directory.</summary>
internal sealed class SandboxConfigBuilder(KubeletConfig config, NodeFacts node, PodCgroups cgroups)
{
    public PodSandboxConfig Build(Pod pod, uint attempt)
    {
        var sandbox = new PodSandboxConfig
        {
            Metadata = new PodSandboxMetadata { Name = pod.Metadata.Name, Namespace = pod.Metadata.Namespace, Uid = pod.Metadata.Uid, Attempt = attempt },
            // The node's own name is not set anew in the node's own namespace.
            Hostname = pod.HostNetwork() ? "" : HostName(pod),
            LogDirectory = LogPaths.PodDirectory(config.PodLogsDir, pod.Metadata.Namespace, pod.Metadata.Name, pod.Metadata.Uid),
            DnsConfig = Dns(pod),
            Linux = Linux(pod),
        };
        sandbox.Labels.Add(pod.Metadata.Labels ?? []);
        sandbox.Labels[RuntimeLabels.PodName] = pod.Metadata.Name;
        sandbox.Labels[RuntimeLabels.PodNamespace] = pod.Metadata.Namespace;
        sandbox.Labels[RuntimeLabels.PodUid] = pod.Metadata.Uid;
        sandbox.Annotations.Add(pod.Metadata.Annotations ?? []);
        if (!pod.HostNetwork())
            sandbox.PortMappings.Add(Ports(pod));
        return sandbox;
    }

    public string HostName(Pod pod)
    {
        if (pod.Spec.HostnameOverride is { Length: > 0 } given)
            return given;
        if (pod.HostNetwork())
            return node.Name;
        var name = pod.Spec.Hostname.Length > 0 ? pod.Spec.Hostname : pod.Metadata.Name;
        name = name.Length > 63 ? name[..63].TrimEnd('-', '.') : name;
        return pod.Spec.SetHostnameAsFQDN == true && Domain(pod) is { Length: > 0 } domain ? $"{name}.{domain}" : name;
    }

    public string Domain(Pod pod) => pod.Spec.Subdomain.Length == 0 ? "" : $"{pod.Spec.Subdomain}.{pod.Metadata.Namespace}.svc.{config.ClusterDomain}";

    private DNSConfig Dns(Pod pod)
    {
        var nodeConf = config.ResolvConf.Length > 0 && File.Exists(config.ResolvConf) ? ResolvConf.Parse(File.ReadAllText(config.ResolvConf)) : ResolvConf.Empty;
        var conf = ResolvConf.ForPod(pod.Spec.DnsPolicy, pod.HostNetwork(), pod.Metadata.Namespace, nodeConf, config.ClusterDns, config.ClusterDomain);
        if (pod.Spec.DnsConfig is { } own)
            conf = conf.With(own.Nameservers ?? [], own.Searches ?? [], (own.Options ?? []).Select(o => (o.Name, o.Value)));
        var dns = new DNSConfig();
        dns.Servers.Add(conf.Servers);
        dns.Searches.Add(conf.Searches);
        dns.Options.Add(conf.Options);
        return dns;
    }

    private static IEnumerable<PortMapping> Ports(Pod pod) =>
        from container in PodQos.AllContainers(pod)
        from port in container.Ports ?? []
        where port.HostPort > 0
        select new PortMapping
        {
            Protocol = port.Protocol switch { "UDP" => Protocol.Udp, "SCTP" => Protocol.Sctp, _ => Protocol.Tcp },
            ContainerPort = port.ContainerPortValue,
            HostPort = port.HostPort,
            HostIp = port.HostIP,
        };

    private LinuxPodSandboxConfig Linux(Pod pod)
    {
        var context = pod.Spec.SecurityContext;
        var linux = new LinuxPodSandboxConfig
        {
            CgroupParent = cgroups.PathOf(pod),
            SecurityContext = new LinuxSandboxSecurityContext
            {
                NamespaceOptions = Namespaces(pod),
                Privileged = PodQos.AllContainers(pod).Any(c => c.SecurityContext?.Privileged == true),
                Seccomp = new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.RuntimeDefault },
                RunAsUser = context?.RunAsUser is { } user ? new Int64Value { Value = user } : null,
                RunAsGroup = context is { RunAsUser: not null, RunAsGroup: { } group } ? new Int64Value { Value = group } : null,
            },
        };
        linux.SecurityContext.SupplementalGroups.Add(SupplementalGroups(pod));
        foreach (var sysctl in context?.Sysctls ?? [])
            linux.Sysctls[sysctl.Name.Replace('/', '.')] = sysctl.Value;
        return linux;
    }

    public static IEnumerable<long> SupplementalGroups(Pod pod)
    {
        var context = pod.Spec.SecurityContext;
        return (context?.FsGroup is { } fsGroup ? [fsGroup] : Array.Empty<long>()).Concat(context?.SupplementalGroups ?? []);
    }

    public static NamespaceOption Namespaces(Pod pod) => new()
    {
        Network = pod.Spec.HostNetwork ? NamespaceMode.Node : NamespaceMode.Pod,
        Ipc = pod.Spec.HostIPC ? NamespaceMode.Node : NamespaceMode.Pod,
        Pid = pod.Spec.HostPID ? NamespaceMode.Node : pod.Spec.ShareProcessNamespace == true ? NamespaceMode.Pod : NamespaceMode.Container,
    };
}
