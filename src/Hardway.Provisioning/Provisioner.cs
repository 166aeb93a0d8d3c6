using Hardway.Provisioning.Addons;
using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Compute;
using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Remote;
using Hardway.Provisioning.Steps;
using Hardway.Provisioning.Verification;
using Hardway.Provisioning.Workers;

namespace Hardway.Provisioning;

/// <summary>
/// Makes a cluster of machines that are reached by SSH, and verifies it. One object is one run; it holds the shared connections until disposed.
/// </summary>
public sealed class Provisioner : IAsyncDisposable
{
    private readonly ClusterModel _cluster;

    public Provisioner(ProvisioningOptions options)
    {
        _cluster = new ClusterModel(options);
        Graph = new StepGraph(StepsOf(_cluster));
    }

    /// <summary>The steps of this cluster, in a readable order.</summary>
    public StepGraph Graph { get; }

    public string AdminKubeconfig => _cluster.Files.AdminKubeconfig;

    public string Transcript => _cluster.Files.Transcript;

    /// <summary>Brings every machine to its state. Running it again changes only what differs; interrupted, the next run goes on.</summary>
    public Task<StepReport> UpAsync(Action<StepEvent> observer, CancellationToken cancellation)
        => new StepRunner(Graph, observer, _cluster.Options.Time).RunAsync(cancellation);

    /// <summary>Looks at the cluster from outside and tells each line as soon as it is known.</summary>
    public Task<IReadOnlyList<Finding>> VerifyAsync(Action<Finding> observer, CancellationToken cancellation)
        => new Verifier(_cluster).RunAsync(observer, cancellation);

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    /// <summary>Takes the machines' names out of this computer's hosts file. For <c>down</c>; does nothing when they are not there.</summary>
    public static void RemoveJumpboxHosts(string hostsFile = "/etc/hosts") => JumpboxHostsStep.Remove(hostsFile);

    private static List<Step> StepsOf(ClusterModel cluster)
    {
        List<Step> steps = [new CertificatesStep(cluster), new ConfigurationStep(cluster), new SshKeyPairStep(cluster)];
        if (cluster.Options.JumpboxHosts)
        {
            steps.Add(new JumpboxHostsStep(cluster));
        }

        foreach (var machine in cluster.Machines.Machines)
        {
            steps.Add(new SshKeyStep(cluster, machine));
            steps.Add(new HostNamesStep(cluster, machine));
            steps.Add(new ConnectivityStep(cluster, machine));
            steps.Add(new PackagesStep(cluster, machine));
            steps.Add(new PodRoutesStep(cluster, machine));
            steps.AddRange(machine.Role switch
            {
                MachineRole.LoadBalancer => [new LoadBalancerStep(cluster, machine)],
                MachineRole.Server =>
                [
                    new ProgramStep(cluster, machine), new EtcdStep(cluster, machine), new ApiServerStep(cluster, machine),
                    new ControllerManagerStep(cluster, machine), new SchedulerStep(cluster, machine),
                ],
                _ => NodeSteps(cluster, machine),
            });
        }

        steps.Add(new EndpointStep(cluster));
        steps.Add(new ManifestsStep(cluster, "kubelet-access", "Lets the API servers call the kubelets, for logs and exec", () => Manifests.KubeletAccess, "endpoint"));
        steps.Add(new DnsStep(cluster));
        steps.Add(new MetricsStep(cluster));
        return steps;
    }

    private static List<RemoteStep> NodeSteps(ClusterModel cluster, Machine machine)
    {
        List<RemoteStep> steps = [new ProgramStep(cluster, machine), new NodeNetworkStep(cluster, machine), new ContainerdStep(cluster, machine)];
        if (cluster.Options.Images.Count > 0)
        {
            steps.Add(new ImagesStep(cluster, machine));
        }

        return [.. steps, new KubeletStep(cluster, machine), new KubeProxyStep(cluster, machine)];
    }
}
