using Hardway.Hosting;
using Hardway.Provisioning.Addons;
using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Compute;
using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Drills;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Membership;
using Hardway.Provisioning.Planning;
using Hardway.Provisioning.Preflight;
using Hardway.Provisioning.Remote;
using Hardway.Provisioning.Reset;
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

    public string ReceiptFile => _cluster.Files.Receipt;

    public string Transcript => _cluster.Files.Transcript;

    /// <summary>Brings every machine to its state. Running it again changes only what differs; interrupted, the next run goes on.</summary>
    public Task<StepReport> UpAsync(Action<StepEvent> observer, CancellationToken cancellation)
        => new StepRunner(Graph, observer, _cluster.Options.Time).RunAsync(cancellation);

    /// <summary>Runs the steps of one name, or of one name on one machine ("etcd@server-0"), and of the others only those that open the connections.</summary>
    public Task<StepReport> RunStepAsync(string name, Action<StepEvent> observer, CancellationToken cancellation)
        => new StepRunner(Select(name), observer, _cluster.Options.Time).RunAsync(cancellation);

    /// <summary>Takes away what the steps of that name made, the latest first.</summary>
    public async Task<IReadOnlyList<Step>> UndoStepAsync(string name, Action<StepEvent> observer, CancellationToken cancellation)
    {
        var graph = Select(name);
        var connect = await new StepRunner(graph.Only(s => s is SshKeyStep), observer, _cluster.Options.Time).RunAsync(cancellation).ConfigureAwait(false);
        if (connect.Failures is [var failure, ..])
        {
            throw new ComponentException(failure.Detail);
        }

        var undone = Find(name).Reverse().ToList();
        foreach (var step in undone)
        {
            await step.UndoAsync(new StepContext(d => observer(new StepEvent(step.Name, step.Machine, StepState.Applying, TimeSpan.Zero, d)), _cluster.Options.Time), cancellation)
                .ConfigureAwait(false);
        }

        return undone;
    }

    /// <summary>The steps of a name, or the one on one machine.</summary>
    public IReadOnlyList<Step> Find(string name)
    {
        var found = Graph.Steps.Where(s => s.Id == name || s.Name == name).ToList();
        return found.Count > 0 ? found : throw new ComponentException(
            $"there is no step '{name}'; there are {string.Join(", ", Graph.Steps.Select(s => s.Name).Distinct())}, each also with @ and a machine's name");
    }

    /// <summary>
    /// What <see cref="UpAsync"/> would change, as its own checks find it. Works on a copy of the cluster's directory that is deleted at the end, so neither
    /// the machines nor the directory are touched; certificates that do not exist yet are made in the copy, to know the files that would follow.
    /// </summary>
    public static Task<StepReport> PlanAsync(ProvisioningOptions options, Action<StepEvent> observer, CancellationToken cancellation)
        => Planning.Plan.RunAsync(options, StepsOf, observer, cancellation);

    /// <summary>
    /// What would make a cluster of these machines suffer, looked for before anything is done to them: clocks, names, subnets, packet filters, ports from the very peer that needs them,
    /// time of a disk's sync, certificates' names, memory, disk. Nothing is left on the machines or kept here.
    /// </summary>
    public static Task<IReadOnlyList<PreflightFinding>> PreflightAsync(ProvisioningOptions options, Action<StepEvent> observer, CancellationToken cancellation)
        => PreflightRun.RunAsync(options, observer, cancellation);

    /// <summary>What a run changed, each machine asked what else did.</summary>
    public Task<Receipt> ReceiptAsync(StepReport report, CancellationToken cancellation) => Receipt.TakeAsync(_cluster, report, cancellation);

    /// <summary>Opens the connections to all machines, for what looks at a cluster that exists; machines that do not answer are told, with the reason.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ConnectAsync(CancellationToken cancellation)
    {
        var report = await new StepRunner(Graph.Only(s => s is SshKeyStep), _ => { }, _cluster.Options.Time).RunAsync(cancellation).ConfigureAwait(false);
        return report.Failures.ToDictionary(f => f.Machine, f => f.Detail);
    }

    /// <summary>Takes the cluster off its machines and looks at what is left. All of them must answer.</summary>
    public async Task<IReadOnlyList<ResetResult>> ResetAsync(CancellationToken cancellation)
    {
        if (await ConnectAsync(cancellation).ConfigureAwait(false) is { Count: > 0 } silent)
        {
            throw new ComponentException(string.Join('\n', silent.Select(s => $"{s.Key} does not answer: {s.Value}")));
        }

        return await ClusterReset.RunAsync(_cluster, _cluster.Machines.Machines, Graph.Steps.OfType<RemoteStep>().ToLookup(s => s.Machine), cancellation).ConfigureAwait(false);
    }

    /// <summary>Why nobody can join etcd now; null when somebody can.</summary>
    public async Task<string?> JoiningObstacleAsync(CancellationToken cancellation)
    {
        var etcd = await EtcdStatus.ReadAsync(_cluster, cancellation).ConfigureAwait(false);
        return EtcdMembership.JoiningObstacle(etcd.Voters, etcd.Alive);
    }

    /// <summary>
    /// Takes one machine out of the cluster, which goes on: a node is drained first, a server leaves load balancer, control plane and etcd in this order. Throws, before anything is
    /// done, when the cluster cannot spare it. The others still have its name; <see cref="UpAsync"/> with the machines that are left, then <see cref="ForgetAsync"/>, take that away.
    /// </summary>
    /// <param name="machine">Which.</param>
    /// <param name="force">Whether Pods that nobody makes anew may be lost.</param>
    /// <param name="observer">Told what goes on.</param>
    /// <param name="cancellation">Ends it; it can be begun again.</param>
    public async Task<StepReport> DepartAsync(Machine machine, bool force, Action<StepEvent> observer, CancellationToken cancellation)
    {
        if (await Departure.ObstacleAsync(_cluster, machine, cancellation).ConfigureAwait(false) is { } obstacle)
        {
            throw new ComponentException($"{machine} cannot leave: {obstacle}");
        }

        var needed = Graph.Only(s => s is SshKeyStep && (s.Machine == machine.HostName || s.Machine == _cluster.Machines.LoadBalancer?.HostName));
        var connected = await new StepRunner(needed, observer, _cluster.Options.Time).RunAsync(cancellation).ConfigureAwait(false);
        if (connected.Failures.FirstOrDefault(f => f.Machine != machine.HostName) is { } failure)
        {
            throw new ComponentException($"{failure.Machine} does not answer: {failure.Detail}");
        }

        var departure = new Departure(_cluster, machine, force, Graph.Steps.OfType<RemoteStep>().Where(s => s.Machine == machine.HostName));
        return await new StepRunner(new StepGraph(departure.Steps(reachable: connected.Failures.Count == 0)), observer, _cluster.Options.Time).RunAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>After a machine has left and <see cref="UpAsync"/> has run without it: what is still known of it goes.</summary>
    public Task ForgetAsync(Machine machine, CancellationToken cancellation) => Departure.ForgetAsync(_cluster, machine, cancellation);

    /// <summary>Drills on this cluster. Opens the connections.</summary>
    /// <param name="sharedKernel">Whether the machines run on this host's kernel.</param>
    /// <param name="power">Who switches machines off and on; null when nobody can.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<DrillField> DrillsAsync(bool sharedKernel, IPower? power, CancellationToken cancellation)
        => new(_cluster, await ClinicAsync(sharedKernel, cancellation).ConfigureAwait(false), power, sharedKernel);

    /// <summary>What the loss of machines, one after the other, would mean for the cluster as it is now.</summary>
    public Task<IReadOnlyList<WhatIfLine>> WhatIfAsync(IReadOnlyList<string> losses, CancellationToken cancellation) => WhatIf.AskAsync(_cluster, losses, cancellation);

    /// <summary>Every fault, without asking a machine.</summary>
    public IReadOnlyList<FaultDescription> Faults(bool sharedKernel) => new Clinic(_cluster, sharedKernel, new Dictionary<string, string>()).Faults;

    /// <summary>The doctor, and the faults that a learner may be given. Opens the connections.</summary>
    /// <param name="sharedKernel">Whether the machines run on this host's kernel, as the lab's do.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<Clinic> ClinicAsync(bool sharedKernel, CancellationToken cancellation)
        => new(_cluster, sharedKernel, await ConnectAsync(cancellation).ConfigureAwait(false));

    /// <summary>Looks at the cluster from outside and tells each line as soon as it is known.</summary>
    /// <param name="thorough">Also what takes a backend away from the load balancer for a few seconds, to see that nobody notices.</param>
    /// <param name="observer">Told of each line, one at a time.</param>
    /// <param name="cancellation">Ends it.</param>
    public Task<IReadOnlyList<Finding>> VerifyAsync(bool thorough, Action<Finding> observer, CancellationToken cancellation)
        => new Verifier(_cluster).RunAsync(thorough, observer, cancellation);

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    /// <summary>Takes the machines' names out of this computer's hosts file. For <c>down</c>; does nothing when they are not there.</summary>
    public static void RemoveJumpboxHosts(string hostsFile = "/etc/hosts") => JumpboxHostsStep.Remove(hostsFile);

    private StepGraph Select(string name)
    {
        var wanted = Find(name);
        var machines = wanted.Select(s => s.Machine).ToHashSet();
        foreach (var machine in _cluster.Machines.Machines)
        {
            _cluster.SurveyOf(machine).Keep(wanted.Contains);
        }

        return Graph.Only(s => wanted.Contains(s) || (s is SshKeyStep && machines.Contains(s.Machine)));
    }

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
        steps.Add(new ManifestsStep(cluster, "network-access", "Lets the nodes' kube-proxies read what NetworkPolicies speak of", () => Manifests.NetworkAccess, "endpoint"));
        if (cluster.Options.LoadBalancerPool.Length > 0)
        {
            steps.Add(new ManifestsStep(cluster, "load-balancer-pool", $"LoadBalancer Services get addresses of {cluster.Options.LoadBalancerPool}; one node answers for each", () => Manifests.LoadBalancerPool(cluster.Options.LoadBalancerPool), "endpoint"));
        }

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
