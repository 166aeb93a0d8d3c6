using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Remote;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.ControlPlane;

internal sealed class ApiServerStep(ClusterModel cluster, Machine machine)
    : RemoteStep("kube-apiserver", cluster, machine, "configuration", "host-names", "program", "etcd@*", "pod-routes")
{
    public override string Explain =>
        $"The API server on {Target} serves https://{Target.Address}:{ClusterAddresses.ApiPort} and keeps everything in etcd; all API servers act at once, "
        + "so any of them may die.";

    public override string Expected => $"https://{Target.Address}:{ClusterAddresses.ApiPort}/readyz answers 200, under a certificate of the cluster's authority with the endpoint's name";

    public override Task<string> VerifyAsync(StepContext context, CancellationToken cancellation) => context.WaitAsync(
        $"/readyz of the API server on {Target}",
        token => ApiProbe.ReadyAsync(Cluster, Target, token),
        TimeSpan.FromSeconds(60),
        token => CauseAsync("kube-apiserver.service", token),
        cancellation);

    /// <summary>API servers that run are started again one after the other: each is ready before the next goes.</summary>
    public override async Task ApplyAsync(StepContext context, CancellationToken cancellation)
    {
        if (!Difference.Restarts(State))
        {
            await base.ApplyAsync(context, cancellation).ConfigureAwait(false);
            return;
        }

        context.Report("waiting for its turn: API servers are started again one by one");
        using var turn = await Cluster.ApiServerTurns.TakeAsync(cancellation).ConfigureAwait(false);
        await base.ApplyAsync(context, cancellation).ConfigureAwait(false);
        await VerifyAsync(context, cancellation).ConfigureAwait(false);
    }

    protected override void Describe(MachineState state)
    {
        const string Folder = "/var/lib/kubernetes";
        state.RestartKey = Cluster.BinaryHash;
        state.Folder(Folder)
            .File($"{Folder}/ca.crt", Cluster.Certificate(ClusterCertificates.Authority))
            .File($"{Folder}/etcd-ca.crt", Cluster.Certificate(ClusterCertificates.EtcdAuthority))
            .File($"{Folder}/etcd-client.crt", Cluster.Certificate("etcd-client"))
            .File($"{Folder}/etcd-client.key", Cluster.Key("etcd-client"), "600")
            .File($"{Folder}/front-proxy-ca.crt", Cluster.Certificate(ClusterCertificates.FrontProxyAuthority))
            .File($"{Folder}/front-proxy-client.crt", Cluster.Certificate(ClusterCertificates.FrontProxyClient))
            .File($"{Folder}/front-proxy-client.key", Cluster.Key(ClusterCertificates.FrontProxyClient), "600")
            .File($"{Folder}/kube-api-server.crt", Cluster.Certificate("kube-api-server"))
            .File($"{Folder}/kube-api-server.key", Cluster.Key("kube-api-server"), "600")
            .File($"{Folder}/service-accounts.crt", Cluster.Certificate("service-accounts"))
            .File($"{Folder}/service-accounts.key", Cluster.Key("service-accounts"), "600")
            .File($"{Folder}/encryption-config.yaml", System.IO.File.ReadAllText(Cluster.Files.EncryptionConfiguration), "600")
            .Unit("kube-apiserver.service", ControlPlaneUnits.ApiServer(Cluster, Target));
    }
}

internal sealed class ControllerManagerStep(ClusterModel cluster, Machine machine)
    : RemoteStep("kube-controller-manager", cluster, machine, "configuration", "kube-apiserver")
{
    public override string Explain =>
        $"The controller manager on {Target} waits for the Lease kube-controller-manager; of the {Cluster.Machines.Servers.Count}, the holder acts. It uses the API server beside it.";

    public override string Expected => $"https://{Target.Address}:10257/healthz answers 200";

    public override Task<string> VerifyAsync(StepContext context, CancellationToken cancellation) => context.WaitAsync(
        $"the controller manager on {Target}",
        token => ApiProbe.HealthzAsync(Target, 10257, token),
        TimeSpan.FromSeconds(60),
        token => CauseAsync("kube-controller-manager.service", token),
        cancellation);

    protected override void Describe(MachineState state)
    {
        state.RestartKey = Cluster.BinaryHash + Cluster.Certificate(ClusterCertificates.Authority);
        state.File("/var/lib/kubernetes/ca.key", Cluster.Key(ClusterCertificates.Authority), "600")
            .File("/var/lib/kubernetes/kube-controller-manager.kubeconfig", Cluster.KubeconfigOf("kube-controller-manager"), "600")
            .Unit("kube-controller-manager.service", ControlPlaneUnits.ControllerManager(Cluster));
    }
}

internal sealed class SchedulerStep(ClusterModel cluster, Machine machine)
    : RemoteStep("kube-scheduler", cluster, machine, "configuration", "kube-apiserver")
{
    public override string Explain => $"The scheduler on {Target} waits for the Lease kube-scheduler; the holder gives every new Pod a node.";

    public override string Expected => $"https://{Target.Address}:10259/healthz answers 200";

    public override Task<string> VerifyAsync(StepContext context, CancellationToken cancellation) => context.WaitAsync(
        $"the scheduler on {Target}",
        token => ApiProbe.HealthzAsync(Target, 10259, token),
        TimeSpan.FromSeconds(60),
        token => CauseAsync("kube-scheduler.service", token),
        cancellation);

    protected override void Describe(MachineState state)
    {
        state.RestartKey = Cluster.BinaryHash;
        state.Folder("/etc/kubernetes/config")
            .File("/var/lib/kubernetes/kube-scheduler.kubeconfig", Cluster.KubeconfigOf("kube-scheduler"), "600")
            .File("/etc/kubernetes/config/kube-scheduler.yaml", ControlPlaneUnits.SchedulerConfiguration)
            .Unit("kube-scheduler.service", ControlPlaneUnits.Scheduler);
    }
}

/// <summary>HAProxy in front of the API servers. It can run before them: its verification waits for the first one.</summary>
internal sealed class LoadBalancerStep(ClusterModel cluster, Machine machine) : RemoteStep("haproxy", cluster, machine, "host-names", "packages")
{
    public override string Explain =>
        $"HAProxy on {Target} passes TCP connections at {Target.Address}:{ClusterAddresses.ApiPort} to an API server whose /readyz answers 200 over verified TLS, "
        + "and cuts the connections to one that stops answering, so that clients notice within seconds.";

    protected override void Describe(MachineState state) => state
        .File("/etc/haproxy/hardway-ca.crt", Cluster.Certificate(ClusterCertificates.Authority))
        .File("/etc/haproxy/haproxy.cfg", LoadBalancerConfiguration.Render(Cluster))
        .Setting("configuration is sound", "haproxy -c -q -f /etc/haproxy/haproxy.cfg", "haproxy -c -q -f /etc/haproxy/haproxy.cfg")
        .Unit("haproxy.service", reloads: true);
}

/// <summary>The API through the load balancer, as clients use it.</summary>
internal sealed class EndpointStep(ClusterModel cluster) : Step("endpoint", "", "kube-apiserver@*", "haproxy@*?")
{
    public override string Explain => $"Asks {cluster.EndpointUrl}/readyz through {cluster.Machines.Endpoint}, the way every client will.";

    public override string Expected => "200 ok, under a certificate of the cluster's authority with the endpoint's name";

    public override IReadOnlyList<StepItem> Contents => [new("request", $"GET {cluster.EndpointUrl}/readyz", "")];

    public override Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation) => Task.FromResult(StepCheck.Good);

    public override Task ApplyAsync(StepContext context, CancellationToken cancellation) => Task.CompletedTask;

    public override Task<string> VerifyAsync(StepContext context, CancellationToken cancellation) => context.WaitAsync(
        $"/readyz through {cluster.Machines.Endpoint}",
        token => ApiProbe.ReadyAsync(cluster, cluster.Machines.Endpoint, token),
        TimeSpan.FromSeconds(30),
        cluster.Machines.LoadBalancer is { } lb ? token => LoadBalancerConfiguration.BackendsAsync(cluster, lb, token) : null,
        cancellation);
}
