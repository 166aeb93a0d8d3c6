using System.Text;
using System.Text.Json.Nodes;
using Hardway.Provisioning.ControlPlane;
using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Faults;
using Hardway.Provisioning.Machines;

namespace Hardway.Provisioning.Tests;

/// <summary>Diagnoses from what was seen, made by hand: a healthy cluster, and single things that are wrong with it.</summary>
public sealed class PhysicianTests : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hardway-doctor").FullName;
    private readonly ClusterModel _cluster;

    public PhysicianTests()
    {
        _cluster = new ClusterModel(new ProvisioningOptions
        {
            Machines = MachineDatabase.Parse(MachineDatabaseTests.Tutorial),
            ClusterDirectory = Path.Combine(_root, "cluster"),
            Binary = Path.Combine(_root, "program"),
        });
        File.WriteAllText(_cluster.Files.Certificate("ca"), "the authority\n");
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void A_healthy_cluster_gets_no_diagnosis() => Assert.Empty(Physician.Diagnose(Examine()));

    [Theory]
    [InlineData("node-0", "forward", "0", "forwarding-off")]
    [InlineData("node-1", "bridge-nf", "0", "bridge-nf-off")]
    [InlineData("node-1", "cni", "", "cni-configuration-missing")]
    [InlineData("node-1", "cni-subnet", "10.200.0.0/24", "wrong-pod-subnet")]
    [InlineData("node-1", "hostname", "node-0", "duplicate-host-name")]
    [InlineData("node-1", "mtu", "1400", "mtu-mismatch")]
    [InlineData("node-1", "iptables", "iptables v1.8.9 (legacy)", "mixed-packet-filters")]
    [InlineData("node-1", "kubelet-ca", "another", "wrong-kubelet-authority")]
    [InlineData("node-0", "swaps", "/swapfile file 1 0 -2", "swap-on")]
    [InlineData("node-0", "hosts", "10.9.9.9 server-0", "stale-hosts-line")]
    [InlineData("node-0", "routes", "default via 10.240.0.1", "missing-route")]
    [InlineData("server-1", "disks", "/dev/vda1 100 99 1 99% /var/log", "full-disk")]
    [InlineData("server-1", "encryption", "other", "encryption-key-differs")]
    [InlineData("server-1", "account-key", "other", "wrong-service-account-key")]
    [InlineData("server-2", "scheduler", "leaderElection:\n  leaderElect: false", "scheduler-without-election")]
    [InlineData("lb", "haproxy", "    server server-2 10.240.0.72:6444", "load-balancer-dead-port")]
    [InlineData("server-0", "ports", "10.240.0.81 10250 silent", "filtered-port")]
    [InlineData("node-0", "kubelet", "cgroupDriver: systemd\nclusterDNS:\n- 10.240.0.70", "dns-address-of-machine")]
    [InlineData("node-0", "kubelet", "cgroupDriver: cgroupfs\nclusterDNS:\n- 10.32.0.10", "wrong-cgroup-driver")]
    public void One_thing_that_is_wrong_gets_its_one_cause(string machine, string key, string value, string cause)
    {
        var diagnosis = Assert.Single(Physician.Diagnose(Examine((machine, key, value))));

        Assert.Equal(cause, diagnosis.Cause);
        Assert.NotEmpty(diagnosis.Evidence);
        Assert.NotEmpty(diagnosis.Fix);
        Assert.NotNull(FaultTable.Find(cause));
    }

    [Fact]
    public void A_cause_is_told_and_not_what_it_brings_about()
    {
        var stopped = Units(MachineRole.Node).Replace("Id=containerd.service\nActiveState=active", "Id=containerd.service\nActiveState=inactive", StringComparison.Ordinal)
            .Replace("Id=kubelet.service\nActiveState=active", "Id=kubelet.service\nActiveState=inactive", StringComparison.Ordinal);

        Assert.Equal("containerd-stopped", Assert.Single(Physician.Diagnose(Examine(("node-1", "units", stopped)))).Cause);
    }

    [Fact]
    public void What_no_fault_explains_is_told_as_it_is_seen()
    {
        var examination = Examine() with { Api = Api(ready: "Unknown") };

        Assert.Equal(["node-not-ready", "node-not-ready"], Physician.Diagnose(examination).Select(d => d.Cause));
    }

    [Fact]
    public void Every_fault_has_a_name_of_its_own_three_hints_and_a_lesson()
    {
        Assert.Equal(FaultTable.All.Count, FaultTable.All.Select(f => f.Name).Distinct().Count());
        Assert.True(FaultTable.All.Count >= 30);
        Assert.All(FaultTable.All, f => Assert.Equal(3, f.Hints.Count));
        Assert.All(FaultTable.All, f => Assert.True(f.Lesson.Length > 40, f.Name));
    }

    /// <summary>HARDWAY_WRITE_DOCS=1 writes it anew.</summary>
    [Fact]
    public void Docs_troubleshooting_is_what_the_doctor_knows()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Hardway.slnx")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        var path = Path.Combine(folder, "docs", "troubleshooting", "README.md");
        if (Environment.GetEnvironmentVariable("HARDWAY_WRITE_DOCS") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, Troubleshooting.Render());
        }

        Assert.Equal(Troubleshooting.Render(), File.ReadAllText(path));
    }

    [Fact]
    public void A_flag_is_read_in_both_spellings()
    {
        var unit = new UnitFacts("active", "enabled", 1, "/usr/bin/etcd --name server-0 --quota='5' --last");

        Assert.Equal("server-0", unit.Flag("--name"));
        Assert.Equal("5", unit.Flag("--quota"));
        Assert.Null(unit.Flag("--none"));
    }

    [Fact]
    public void The_load_balancers_statistics_are_read_by_the_names_of_their_columns()
    {
        var backends = BackendStatus.Parse("# pxname,svname,scur,status,check_status,\nkube,server-0,7,UP,L7OK,\nkube,server-1,0,DOWN,L4CON,\n");

        Assert.Equal([new BackendStatus("server-0", "UP", "L7OK", 7), new BackendStatus("server-1", "DOWN", "L4CON", 0)], backends);
        Assert.Throws<Hosting.ComponentException>(() => BackendStatus.Parse("Permission denied"));
    }

    private Examination Examine(params (string Machine, string Key, string Value)[] wrong) => new(_cluster)
    {
        Facts = _cluster.Machines.Machines.ToDictionary(m => m, m => Facts(m, wrong.Where(w => w.Machine == m.HostName))),
        Api = Api("True"),
    };

    private static MachineFacts Facts(Machine machine, IEnumerable<(string Machine, string Key, string Value)> wrong)
    {
        var machines = MachineDatabase.Parse(MachineDatabaseTests.Tutorial);
        var facts = new Dictionary<string, string>
        {
            ["hostname"] = machine.HostName,
            ["mtu"] = "1500",
            ["hosts"] = string.Join('\n', machines.Machines.Select(m => $"{m.Address} {m.Fqdn} {m.HostName}")),
            ["routes"] = string.Join('\n', machines.Nodes.Where(n => n.HostName != machine.HostName).Select(n => $"{n.PodSubnet} via {n.Address} dev eth0")),
            ["disks"] = "/dev/vda1 100 40 60 40% /",
            ["units"] = Units(machine.Role),
            ["forward"] = "1",
            ["bridge-nf"] = "1",
            ["cni"] = "/etc/cni/net.d/10-bridge.conflist",
            ["cni-subnet"] = machine.PodSubnet?.ToString() ?? "",
            ["iptables"] = "iptables v1.8.9 (nf_tables)",
            ["kubelet"] = "cgroupDriver: systemd\nclusterDNS:\n- 10.32.0.10\nclusterDomain: cluster.local",
            ["kubelet-ca"] = "the authority",
            ["containerd"] = "SystemdCgroup = true",
            ["encryption"] = "one",
            ["account-key"] = "one",
            ["account-certificate"] = "one",
            ["scheduler"] = "leaderElection:\n  leaderElect: true",
            ["haproxy"] = string.Join('\n', machines.Servers.Select(s => $"    server {s.HostName} {s.Address}:6443")),
        };
        foreach (var (_, key, value) in wrong)
        {
            facts[key] = value;
        }

        return MachineFacts.Parse(string.Join('\n', facts.Select(f => $"{f.Key} {Convert.ToBase64String(Encoding.UTF8.GetBytes(f.Value))}")), TimeSpan.Zero);
    }

    private static string Units(MachineRole role) => string.Join("\n\n", MachineQuestions.UnitsOf(role)
        .Select(u => $"Id={u}.service\nActiveState=active\nUnitFileState=enabled\nLimitNOFILE=65536\nExecStart={{ path=/x ; argv[]=/x --a=b ; ignore_errors=no ; }}"));

    private static ApiFacts Api(string ready) => new(
        null,
        [.. ((string[])["node-0", "node-1"]).Select(n => JsonNode.Parse($$$"""{"metadata":{"name":"{{{n}}}"},"spec":{},"status":{"conditions":[{"type":"Ready","status":"{{{ready}}}"}]}}""")!)],
        [],
        null,
        new JsonObject(),
        new JsonObject());
}
