using System.Security.Cryptography.X509Certificates;
using Hardway.Pki;
using Hardway.Provisioning.Cluster;
using Hardway.Provisioning.Compute;
using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Steps;
using Hardway.Provisioning.Workers;

namespace Hardway.Provisioning.Tests;

public sealed class ClusterTests : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hardway-cluster").FullName;
    private readonly ClusterModel _cluster;

    public ClusterTests()
    {
        File.WriteAllText(Path.Combine(_root, "program"), "program");
        _cluster = new ClusterModel(new ProvisioningOptions
        {
            Machines = MachineDatabase.Parse(MachineDatabaseTests.Tutorial),
            ClusterDirectory = Path.Combine(_root, "cluster"),
            Binary = Path.Combine(_root, "program"),
            HostsFile = Path.Combine(_root, "hosts"),
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    /// <summary>`step run` leaves out what is between, so an indirect dependency is none then.</summary>
    [Fact]
    public async Task Every_step_on_a_machine_waits_for_the_connection_to_it_also_when_it_is_run_alone()
    {
        await using var provisioner = new Provisioner(_cluster.Options);
        foreach (var step in provisioner.Graph.Steps.Where(s => s.Machine.Length > 0 && s is not SshKeyStep))
        {
            Assert.Contains(provisioner.Graph.Only(s => s == step || s is SshKeyStep).DependenciesOf(step), d => d is SshKeyStep && d.Machine == step.Machine);
        }
    }

    [Fact]
    public async Task Certificates_have_the_subjects_that_rbac_knows_and_a_second_run_changes_nothing()
    {
        Assert.Equal(StepState.Changed, (await RunAsync()).Results[0].State);
        Assert.Equal("O=system:nodes, CN=system:node:node-0", Read("node-0").Subject);
        Assert.Equal("O=system:masters, CN=admin", Read("admin").Subject);
        Assert.Contains("CN=system:kube-scheduler", Read("kube-scheduler").Subject, StringComparison.Ordinal);
        var api = Read("kube-api-server");
        foreach (var name in new[]
        {
            "10.240.0.60", "10.240.0.72", "10.32.0.1", "127.0.0.1", "localhost", "server-2", "server-1.kubernetes.local", "server.kubernetes.local", "lb",
            "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster", "kubernetes.default.svc.cluster.local",
        })
        {
            Assert.True(api.MatchesHostname(name), name);
        }

        Assert.True(TrustBundle.Read(_cluster.Files.Certificate("ca")).Verify(api, KeyPurpose.ServerAuthentication, out _));
        Assert.False(TrustBundle.Read(_cluster.Files.Certificate("etcd-ca")).Verify(Read("node-0"), KeyPurpose.ClientAuthentication, out _));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_cluster.Files.AdminKubeconfig));

        var again = await RunAsync();
        Assert.Equal(0, again.Changed);
    }

    [Fact]
    public async Task A_lost_certificate_is_made_again_and_the_others_stay()
    {
        await RunAsync();
        var api = File.ReadAllText(_cluster.Files.Certificate("kube-api-server"));
        File.Delete(_cluster.Files.Certificate("admin"));

        var report = await RunAsync();

        Assert.Equal("admin is missing", report.Results[0].Detail);
        Assert.Equal(api, File.ReadAllText(_cluster.Files.Certificate("kube-api-server")));
        Assert.Contains(Convert.ToBase64String(File.ReadAllBytes(_cluster.Files.Certificate("admin"))), File.ReadAllText(_cluster.Files.AdminKubeconfig), StringComparison.Ordinal);
    }

    [Fact]
    public void The_hosts_block_is_kept_once_and_removed_without_a_trace()
    {
        const string Own = "127.0.0.1 localhost\n# mine\n10.0.0.1 x\n";
        var block = HostTable.Render(_cluster.Machines);
        var once = HostTable.Merge(Own, block);

        Assert.Equal(Own + block, once);
        Assert.Equal(once, HostTable.Merge(once, block));
        Assert.Equal(Own, HostTable.Merge(once, null));
        Assert.Contains("10.240.0.60 lb.kubernetes.local lb server.kubernetes.local\n", block, StringComparison.Ordinal);
    }

    [Fact]
    public void The_etcd_unit_names_every_member_and_demands_certificates()
    {
        var (state, members) = _cluster.EtcdBootstrap.Of(_cluster.Machines, _cluster.Machines.Servers[1]);
        var unit = EtcdStep.Unit(_cluster.Machines.Servers[1], state, members);

        Assert.Contains("--name server-1 \\\n", unit, StringComparison.Ordinal);
        Assert.Contains(
            "--initial-cluster server-0=https://10.240.0.70:2380,server-1=https://10.240.0.71:2380,server-2=https://10.240.0.72:2380 \\\n", unit, StringComparison.Ordinal);
        Assert.Contains("--peer-client-cert-auth", unit, StringComparison.Ordinal);
    }

    [Fact]
    public void Units_and_configurations_are_what_is_kept_in_the_golden_files()
    {
        Golden("kube-apiserver.service", ControlPlaneUnits.ApiServer(_cluster, _cluster.Machines.Servers[1]));
        Golden("kube-controller-manager.service", ControlPlaneUnits.ControllerManager(_cluster));
        Golden("haproxy.cfg", LoadBalancerConfiguration.Render(_cluster));
        Golden("kubelet.service", WorkerConfiguration.KubeletUnit("10.240.0.80"));
        Golden("10-bridge.conflist", WorkerConfiguration.Bridge(_cluster.Machines.Nodes[0].PodSubnet!.Value));
        Golden("kube-proxy-config.yaml", WorkerConfiguration.KubeProxy(_cluster.PodRange));
        Golden("encryption-config.yaml", ConfigurationStep.Encryption(new byte[32]));
    }

    [Theory]
    [InlineData("10.200.0.0/24 10.200.1.0/24", "10.200.0.0/16")]
    [InlineData("10.64.0.0/24 10.64.3.0/24", "10.64.0.0/22")]
    [InlineData("10.64.0.0/24 192.168.1.0/24", "0.0.0.0/0")]
    public void The_Pod_range_is_the_tutorials_or_the_smallest_that_covers_all(string subnets, string expected)
    {
        var nodes = subnets.Split(' ').Select((s, i) => $"172.16.0.{i + 2} node-{i}.k.local node-{i} {s}");
        var machines = MachineDatabase.Parse("172.16.0.1 server.k.local server\n" + string.Join('\n', nodes));
        Assert.Equal(expected, ClusterModel.PodRangeOf(machines).ToString());
    }

    [Fact]
    public async Task The_whole_graph_of_the_tutorials_machines_is_sound_and_every_step_explains_itself()
    {
        await RunAsync();
        await using var provisioner = new Provisioner(_cluster.Options);
        Assert.All(provisioner.Graph.Steps, s => Assert.NotEmpty(s.Explain));
        Assert.Equal(provisioner.Graph.Steps.Count, provisioner.Graph.Steps.Select(s => s.Id).Distinct().Count());
    }

    private static void Golden(string name, string text, [System.Runtime.CompilerServices.CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, "Golden", name);
        if (Environment.GetEnvironmentVariable("HARDWAY_UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(path, text);
        }

        Assert.Equal(File.ReadAllText(path), text);
    }

    private X509Certificate2 Read(string name) => PemFiles.ReadCertificates(_cluster.Files.Certificate(name))[0];

    private async Task<StepReport> RunAsync()
    {
        var steps = new Step[] { new CertificatesStep(_cluster), new ConfigurationStep(_cluster), new SshKeyPairStep(_cluster), new JumpboxHostsStep(_cluster) };
        var report = await new StepRunner(new StepGraph(steps), _ => { }, TimeProvider.System).RunAsync(TestContext.Current.CancellationToken);
        Assert.True(report.Succeeded, string.Join('\n', report.Failures));
        return report;
    }
}
