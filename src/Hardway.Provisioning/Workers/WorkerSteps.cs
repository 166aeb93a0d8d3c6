using Hardway.Provisioning.Api;
using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Remote;
using Hardway.Provisioning.Ssh;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Workers;

/// <summary>What the kernel of a node must do for Pods: forward packets, show bridged ones to the packet filter, masquerade what leaves.</summary>
internal sealed class NodeNetworkStep(ClusterModel cluster, Machine machine) : RemoteStep("node-network", cluster, machine, "host-names", "packages")
{
    public override string Explain =>
        $"{Target} forwards packets for its Pods ({Target.PodSubnet}) and translates only those that leave the Pods' range {Cluster.PodRange}.";

    protected override void Describe(MachineState state) => state
        .File("/etc/sysctl.d/99-hardway.conf", WorkerConfiguration.Sysctl)
        .File("/etc/modules-load.d/hardway.conf", "overlay\nbr_netfilter\n")
        .Setting(
            "kernel settings",
            "[ \"$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/bridge/bridge-nf-call-iptables | tr -d '\\n')\" = 11 ]",
            "[ -e /proc/sys/net/bridge ] || modprobe br_netfilter\nsysctl -q -p /etc/sysctl.d/99-hardway.conf")
        .File("/etc/hardway/masquerade.nft", WorkerConfiguration.Masquerade(Target.PodSubnet!.Value, Cluster.PodRange))
        .Unit("hardway-masquerade.service", WorkerConfiguration.MasqueradeUnit);
}

internal sealed class ContainerdStep(ClusterModel cluster, Machine machine) : RemoteStep("containerd", cluster, machine, "node-network")
{
    public override string Explain =>
        $"containerd on {Target} runs containers through runc and asks CNI for their network: the bridge cni0 with addresses of {Target.PodSubnet}. "
        + $"Each Pod's namespaces are held by {WorkerConfiguration.SandboxImage}.";

    public override string Expected => "containerd answers ctr with its version";

    public override Task<string> VerifyAsync(StepContext context, CancellationToken cancellation) => context.WaitAsync(
        $"containerd on {Target}",
        async token =>
        {
            var result = await Ssh.RunAsync(Name, "ctr version >/dev/null", token, mayFail: true).ConfigureAwait(false);
            return result.Succeeded ? null : result.Reason;
        },
        TimeSpan.FromSeconds(30),
        token => CauseAsync("containerd.service", token),
        cancellation);

    protected override void Describe(MachineState state) => state
        .File("/etc/containerd/config.toml", WorkerConfiguration.Containerd)
        .File("/etc/cni/net.d/10-bridge.conflist", WorkerConfiguration.Bridge(Target.PodSubnet!.Value))
        .File("/etc/cni/net.d/99-loopback.conf", WorkerConfiguration.Loopback)
        .Unit("containerd.service");
}

/// <summary>Brings image archives to a node and imports them, so that it needs no registry. A marker file names what was imported.</summary>
internal sealed class ImagesStep(ClusterModel cluster, Machine machine) : RemoteStep("images", cluster, machine, "containerd")
{
    private const string _folder = "/var/lib/hardway/images";

    public override string Explain => $"Imports {string.Join(", ", Cluster.Options.Images.SelectMany(i => i.References))} into containerd on {Target}: the cluster needs no registry.";

    public override string Expected => "containerd lists every image by name";

    public override async Task<string> VerifyAsync(StepContext context, CancellationToken cancellation)
    {
        var names = (await Ssh.RunAsync(Name, "ctr -n k8s.io images ls -q", cancellation).ConfigureAwait(false)).Output.Split('\n').ToHashSet();
        var missing = Cluster.Options.Images.SelectMany(i => i.References).Where(r => !names.Contains(r)).ToList();
        if (missing.Count > 0)
        {
            throw new Hosting.ComponentException($"containerd on {Target} lacks {string.Join(", ", missing)} after the import");
        }

        return $"containerd on {Target} lists {Cluster.Options.Images.Count} images";
    }

    public override async Task ApplyAsync(StepContext context, CancellationToken cancellation)
    {
        var missing = Cluster.Options.Images.Where(i => Difference.Settings.Any(s => s.Name == Title(i))).ToList();
        context.Report("importing " + string.Join(", ", missing.Select(i => i.References[0])));
        await Task.WhenAll(missing.Select(i => ImportAsync(i, cancellation))).ConfigureAwait(false);
    }

    private Task ImportAsync(ImageArchive image, CancellationToken cancellation) => Ssh.RunAsync(
        Name,
        $"set -eu; ctr -n k8s.io images import - >&2; mkdir -p {_folder}; : >{Marker(image)}",
        cancellation,
        async (stream, token) =>
        {
            var source = File.OpenRead(image.Path);
            await using (source.ConfigureAwait(false))
            {
                await source.CopyToAsync(stream, 1 << 20, token).ConfigureAwait(false);
            }
        },
        TimeSpan.FromMinutes(5));

    protected override void Describe(MachineState state)
    {
        foreach (var image in Cluster.Options.Images)
        {
            state.Setting(Title(image), Present(image), "true");
        }
    }

    private static string Title(ImageArchive image) => $"image {image.References[0]}";

    private string Present(ImageArchive image)
    {
        // The names are containerd's own; the marker says that they came from this very archive.
        var names = string.Join(" && ", image.References.Select(r => $"grep -qxF {SshMachine.Quote(r)} <<<\"$names\""));
        return $"[ -e {Marker(image)} ] && names=$(ctr -n k8s.io images ls -q) && {names}";
    }

    private string Marker(ImageArchive image) => $"{_folder}/{Cluster.HashOf(image.Path)[..32]}";
}

internal sealed class KubeletStep(ClusterModel cluster, Machine machine)
    : RemoteStep("kubelet", cluster, machine, "configuration", "program", "containerd", "pod-routes", "images?", "endpoint")
{
    public override string Explain =>
        $"The kubelet on {Target} registers the node, as user system:node:{Target.HostName}, and runs the Pods that are bound to it through containerd's CRI.";

    public override string Expected => $"the API has the node {Target.HostName}, and its condition Ready is True";

    public override Task<string> VerifyAsync(StepContext context, CancellationToken cancellation) => context.WaitAsync(
        $"node {Target} to be Ready",
        async token =>
        {
            using var api = new ApiConnection(Cluster);
            return await NodeReadiness.OfAsync(api, Target.HostName, token).ConfigureAwait(false);
        },
        TimeSpan.FromSeconds(60),
        token => CauseAsync("kubelet.service", token),
        cancellation);

    protected override void Describe(MachineState state)
    {
        state.RestartKey = Cluster.BinaryHash;
        state.Folder("/var/lib/kubelet")
            .File("/var/lib/kubelet/ca.crt", Cluster.Certificate(ClusterCertificates.Authority))
            .File("/var/lib/kubelet/kubelet.crt", Cluster.Certificate(Target.HostName))
            .File("/var/lib/kubelet/kubelet.key", Cluster.Key(Target.HostName), "600")
            .File("/var/lib/kubelet/kubeconfig", Cluster.KubeconfigOf(Target.HostName), "600")
            .File("/var/lib/kubelet/kubelet-config.yaml", WorkerConfiguration.Kubelet)
            .Unit("kubelet.service", WorkerConfiguration.KubeletUnit(Target.Address.ToString()));
    }
}

internal sealed class KubeProxyStep(ClusterModel cluster, Machine machine)
    : RemoteStep("kube-proxy", cluster, machine, "configuration", "program", "node-network", "endpoint")
{
    public override string Explain => $"kube-proxy on {Target} turns Services into nftables rules: traffic to a Service's address goes to one of its Pods.";

    public override string Expected => $"http://{Target.Address}:10256/healthz answers 200";

    public override Task<string> VerifyAsync(StepContext context, CancellationToken cancellation) => context.WaitAsync(
        $"/healthz of kube-proxy on {Target}",
        token => ApiProbe.PlainAsync(Target, 10256, "/healthz", token),
        TimeSpan.FromSeconds(60),
        token => CauseAsync("kube-proxy.service", token),
        cancellation);

    protected override void Describe(MachineState state)
    {
        state.RestartKey = Cluster.BinaryHash;
        state.Folder("/var/lib/kube-proxy")
            .File("/var/lib/kube-proxy/kubeconfig", Cluster.KubeconfigOf("kube-proxy"), "600")
            .File("/var/lib/kube-proxy/kube-proxy-config.yaml", WorkerConfiguration.KubeProxy(Cluster.PodRange))
            .Unit("kube-proxy.service", WorkerConfiguration.KubeProxyUnit);
    }
}
