using Hardway.Api.Core.V1;

namespace Hardway.Kubelet.Volumes;

/// <summary>Where a Pod's files are below the kubelet's root: /var/lib/kubelet/pods/UID/{volumes,containers,volume-subpaths,etc-hosts}.</summary>
internal sealed class PodDirectories(string root)
{
    public string Pods => root + "/pods";

    public string Of(string uid) => $"{Pods}/{uid}";

    /// <param name="plugin">As upstream writes it: kubernetes.io~configmap.</param>
    public string Volume(Pod pod, string plugin, string name) => $"{Of(pod.Metadata.Uid)}/volumes/{plugin}/{name}";

    public string TerminationLog(Pod pod, string container, uint attempt) => $"{Of(pod.Metadata.Uid)}/containers/{container}/{attempt:x8}";

    public string EtcHosts(Pod pod) => $"{Of(pod.Metadata.Uid)}/etc-hosts";

    public string SubPath(Pod pod, string volume, string container, int index) => $"{Of(pod.Metadata.Uid)}/volume-subpaths/{volume}/{container}/{index}";

    public string CsiStaging => root + "/plugins/kubernetes.io/csi";

    /// <summary>Where plugins put the sockets by which they register.</summary>
    public string PluginRegistry => root + "/plugins_registry";

    public string Seccomp => root + "/seccomp";
}
