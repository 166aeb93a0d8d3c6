using System.Text;
using Hardway.Provisioning.Doctor;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Preflight;

namespace Hardway.Provisioning.Tests;

/// <summary>What is said of machines before `up`, from answers made by hand: good ones, and single things that are wrong with them.</summary>
public class PreflightTests
{
    private static readonly MachineDatabase _machines = MachineDatabase.Parse(MachineDatabaseTests.Tutorial);

    [Fact]
    public void Good_machines_get_no_finding() => Assert.Empty(PreflightChecks.Judge(See()));

    [Theory]
    [InlineData("node-1", "architecture", "aarch64", "architecture", "it is a aarch64")]
    [InlineData("node-1", "systemd", "", "systemd", "there is no systemd")]
    [InlineData("node-1", "systemd", "245", "systemd", "its systemd is 245")]
    [InlineData("node-1", "hostname", "node-0", "names", "calls itself node-0, which is to be at 10.240.0.80")]
    [InlineData("lb", "hosts", "10.9.9.9 server-0 # old", "names", "/etc/hosts says 10.9.9.9 for server-0, which is at 10.240.0.70")]
    [InlineData("node-0", "routes", "10.32.0.0/16 dev docker0", "subnets", "overlaps the Services' range 10.32.0.0/24")]
    [InlineData("server-0", "routes", "10.200.1.0/25 via 192.168.0.1 dev eth1", "subnets", "overlaps the Pod subnet of node-1")]
    [InlineData("node-0", "bridge", "", "kernel", "br_netfilter")]
    [InlineData("node-0", "iptables", "iptables v1.8.9 (legacy)", "packet filter", "other tables than the other nodes'")]
    [InlineData("server-0", "memory", "400000\n300000", "memory", "390 MB of memory")]
    [InlineData("server-0", "disk", "/dev/vda1 100 60 900000 40% /", "disk", "/var/lib has 878 MB free")]
    [InlineData("server-0", "sync", "12.5", "disk sync", "takes 625 ms")]
    [InlineData("server-0", "listening", "LISTEN 0 128 0.0.0.0:6443 0.0.0.0:* users:((\"nginx\",pid=7,fd=3))", "ports", "nginx listens at port 6443")]
    public void A_bad_finding_names_machine_sight_and_way_out(string machine, string key, string value, string subject, string expected)
    {
        var finding = Assert.Single(PreflightChecks.Judge(See((machine, key, value))));

        Assert.False(finding.IsWarning);
        Assert.Equal((machine, subject), (finding.Machine, finding.Subject));
        Assert.Contains(expected, finding.Seen, StringComparison.Ordinal);
        Assert.NotEmpty(finding.Fix);
        Assert.StartsWith(machine + ": ", finding.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("node-0", "swaps", "/swapfile file 1 0 -2", "swap")]
    [InlineData("node-0", "id", "of node-1", "names")]
    [InlineData("server-1", "sync", "1.0", "disk sync")]
    [InlineData("server-1", "memory", "800000\n700000", "memory")]
    [InlineData("server-1", "memory", "4000000\n100000", "memory")]
    [InlineData("node-1", "disk", "/dev/vda1 100 60 2000000 40% /", "disk")]
    public void What_can_be_lived_with_is_a_warning(string machine, string key, string value, string subject)
    {
        var finding = Assert.Single(PreflightChecks.Judge(See((machine, key, value))));

        Assert.True(finding.IsWarning, finding.ToString());
        Assert.Equal(subject, finding.Subject);
        Assert.StartsWith("warning: ", finding.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("routes", "10.200.0.0/24 via 10.240.0.80 dev eth0\n10.200.1.0/24 dev cni0 proto kernel")]
    [InlineData("hosts", "127.0.1.1 node-1.kubernetes.local node-1\n10.240.0.70 server-0")]
    [InlineData("listening", "LISTEN 0 128 *:10250 *:* users:((\"hardway\",pid=7,fd=3))")]
    [InlineData("ours", "kubelet")]
    public void What_an_earlier_run_left_is_no_finding(string key, string value) => Assert.Empty(PreflightChecks.Judge(See(("node-1", key, value))));

    [Fact]
    public void A_unit_of_ours_that_runs_has_its_port_whatever_its_program_calls_itself()
    {
        const string Listening = "LISTEN 0 128 *:10256 *:* users:((\".NET Main\",pid=7,fd=3))";

        Assert.Empty(PreflightChecks.Judge(See(("node-1", "listening", Listening), ("node-1", "ours", "kubelet\nkube-proxy"))));
        Assert.Single(PreflightChecks.Judge(See(("node-1", "listening", Listening), ("node-1", "ours", "kubelet"))));
    }

    [Fact]
    public void A_clock_that_is_off_is_bad()
    {
        var seen = See();
        var off = new Dictionary<Machine, MachineFacts>(seen.Facts) { [_machines.Nodes[0]] = Facts(_machines.Nodes[0], [], TimeSpan.FromMinutes(-10)) };

        Assert.Equal("its clock is -600.0 s from this computer's", Assert.Single(PreflightChecks.Judge(seen with { Facts = off })).Seen);
    }

    [Fact]
    public void A_port_is_tried_from_the_very_peer_that_needs_it()
    {
        var needs = PortNeed.Of(_machines);
        var fromLb = needs.Single(n => n.From?.HostName == "lb" && n.To.HostName == "server-1");
        var toKubelet = needs.Single(n => n.From?.HostName == "server-2" && n.To.HostName == "node-0");
        Assert.Equal(2, needs.Count(n => n.From?.HostName == "server-0" && n.To.HostName == "server-1"));
        Assert.Equal((6443, 10250), (fromLb.Port, toKubelet.Port));

        var silent = Assert.Single(PreflightChecks.Judge(See() with { Ports = new Dictionary<PortNeed, string> { [fromLb] = "silent" } }));
        Assert.Equal("lb does not reach its port 6443 (API server): no answer", silent.Seen);
        Assert.Equal("server-1", silent.Machine);
    }

    [Fact]
    public void A_refusal_is_a_packet_filters_only_where_somebody_listens()
    {
        var need = PortNeed.Of(_machines).Single(n => n.From?.HostName == "server-2" && n.To.HostName == "node-0");
        var refused = See() with { Ports = new Dictionary<PortNeed, string> { [need] = "refused" } };

        Assert.Empty(PreflightChecks.Judge(refused));
        Assert.Contains("refused, though somebody listens", Assert.Single(PreflightChecks.Judge(refused with { Listening = new HashSet<Machine> { need.To } })).Seen, StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_of_the_cluster_that_is_not_in_the_database_has_to_leave_in_order()
    {
        var finding = Assert.Single(PreflightChecks.Judge(See() with { Former = MachineDatabase.Parse(MachineDatabaseTests.Tutorial + "\n10.240.0.82 node-2.kubernetes.local node-2 10.200.2.0/24") }));

        Assert.Contains("hardway node remove node-2", finding.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_of_the_cluster_that_has_forgotten_its_name_does_not_stop_up()
        => Assert.True(Assert.Single(PreflightChecks.Judge(See(("node-1", "hostname", "node-0")) with { Former = _machines })).IsWarning);

    [Fact]
    public void Silent_machines_old_certificates_and_even_numbers_are_told()
    {
        var four = MachineDatabase.Parse(MachineDatabaseTests.Tutorial + "\n10.240.0.73 server-3.kubernetes.local server-3", changing: true);
        var findings = PreflightChecks.Judge(new PreflightSights(four)
        {
            Silent = new Dictionary<Machine, string> { [four.Nodes[0]] = "No route to host" },
            Certificates = ["kube-api-server names other machines"],
        });

        Assert.Equal([("log-in", false), ("quorum", true), ("SAN coverage", true)], findings.Select(f => (f.Subject, f.IsWarning)));
    }

    private static PreflightSights See(params (string Machine, string Key, string Value)[] wrong) => new(_machines)
    {
        Facts = _machines.Machines.ToDictionary(m => m, m => Facts(m, wrong.Where(w => w.Machine == m.HostName), TimeSpan.Zero)),
    };

    private static MachineFacts Facts(Machine machine, IEnumerable<(string Machine, string Key, string Value)> wrong, TimeSpan clock)
    {
        var facts = new Dictionary<string, string>
        {
            ["hostname"] = "debian",
            ["hosts"] = "127.0.0.1 localhost",
            ["architecture"] = "x86_64",
            ["systemd"] = "252",
            ["id"] = "of " + machine.HostName,
            ["routes"] = "default via 10.240.0.1 dev eth0\n10.240.0.0/24 dev eth0 proto kernel scope link",
            ["memory"] = "2000000\n1500000",
            ["disk"] = "/dev/vda1 100000000 60 40000000 40% /",
            ["sync"] = "0.02",
            ["iptables"] = "iptables v1.8.9 (nf_tables)",
            ["bridge"] = "yes",
            ["overlay"] = "yes",
        };
        foreach (var (_, key, value) in wrong)
        {
            facts[key] = value;
        }

        return MachineFacts.Parse(string.Join('\n', facts.Select(f => $"{f.Key} {Convert.ToBase64String(Encoding.UTF8.GetBytes(f.Value))}")), clock);
    }
}
