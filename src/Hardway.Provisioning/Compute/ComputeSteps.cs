using Hardway.Hosting;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Remote;
using Hardway.Provisioning.Ssh;
using Hardway.Provisioning.Steps;

namespace Hardway.Provisioning.Compute;

/// <summary>Host name, fully qualified name, and the host lookup table in the machine's /etc/hosts.</summary>
internal sealed class HostNamesStep(ClusterModel cluster, Machine machine) : RemoteStep("host-names", cluster, machine)
{
    public override string Explain =>
        $"Names the machine {Target.HostName} ({Target.Fqdn}) and writes all machines' names into its /etc/hosts between marker lines, once.";

    public override async Task VerifyAsync(StepContext context, CancellationToken cancellation)
    {
        var result = await Ssh.RunAsync(Name, "hostname; hostname -f", cancellation).ConfigureAwait(false);
        var names = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (names.Length != 2 || names[0] != Target.HostName || names[1] != Target.Fqdn)
        {
            throw new ComponentException($"{Target.Address} calls itself {string.Join(" / ", names)}, not {Target.HostName} / {Target.Fqdn}");
        }
    }

    protected override void Describe(MachineState state)
    {
        var block = HostTable.Render(Cluster.Machines);
        const string Extract = $"sed -n '/^{HostTable.Begin}$/,/^{HostTable.End}$/p' /etc/hosts";
        state.File("/etc/hostname", Target.HostName + "\n")
            .Setting("host name", $"[ \"$(hostname)\" = {Target.HostName} ]", $"hostname {Target.HostName}")
            .Setting(
                "host lookup table",
                $"[ \"$({Extract})\" = {SshMachine.Quote(block.TrimEnd('\n'))} ] && ! grep -q '^127\\.0\\.1\\.1[[:space:]]' /etc/hosts",
                // Debian's line that gives the own name to 127.0.1.1 would hide the machine's real address from it.
                "{ sed -e '/^127\\.0\\.1\\.1[[:space:]]/d' -e '/^" + HostTable.Begin + "$/,/^" + HostTable.End + "$/d' /etc/hosts; printf %s "
                    + SshMachine.Quote(block) + "; } >/etc/hosts.hardway-new\nchmod 644 /etc/hosts.hardway-new\n"
                    + "mv -fT /etc/hosts.hardway-new /etc/hosts 2>/dev/null || { cat /etc/hosts.hardway-new >/etc/hosts; rm /etc/hosts.hardway-new; }");
    }
}

/// <summary>Every machine reaches every other one by its name. Nothing to apply: the check is the step.</summary>
internal sealed class ConnectivityStep(ClusterModel cluster, Machine machine) : Step("connectivity", machine.HostName, "host-names@*")
{
    public override string Explain =>
        $"From {machine}, opens a connection to the SSH port of each of the other {cluster.Machines.Machines.Count - 1} machines by name: name resolution, routes and filters in one.";

    public override Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation) => Task.FromResult(StepCheck.Good);

    public override Task ApplyAsync(StepContext context, CancellationToken cancellation) => Task.CompletedTask;

    public override async Task VerifyAsync(StepContext context, CancellationToken cancellation)
    {
        var others = cluster.Machines.Machines.Where(m => m != machine).Select(m => m.HostName);
        var script =
            $$"""
            for name in {{string.Join(' ', others)}}; do
              ( timeout 5 bash -c ": 2>/dev/null </dev/tcp/$name/{{cluster.Options.Ssh.Port}}" 2>/dev/null || echo "$name" ) &
            done
            wait
            """;
        var result = await cluster.SshTo(machine).RunAsync(Name, script, cancellation).ConfigureAwait(false);
        var unreached = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (unreached.Length > 0)
        {
            throw new ComponentException($"{machine} does not reach {string.Join(", ", unreached)} on port {cluster.Options.Ssh.Port}; look at routes and packet filters between them");
        }
    }
}

/// <summary>The program, under its own name and those of the components.</summary>
internal sealed class ProgramStep(ClusterModel cluster, Machine machine) : RemoteStep("program", cluster, machine)
{
    public const string Path = "/usr/local/bin/hardway";

    private IReadOnlyList<string> Names => Target.Role == MachineRole.Server
        ? ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]
        : ["kubelet", "kube-proxy"];

    public override string Explain => $"Brings {Cluster.Options.Binary} to {Path}, with the names {string.Join(", ", Names)}: it acts by the name it is called by.";

    protected override void Describe(MachineState state)
    {
        state.Files.Add(RemoteFile.Large(Path, Cluster.Options.Binary, Cluster.BinaryHash, "755"));
        state.Setting(
            "names",
            string.Join(" && ", Names.Select(n => $"[ \"$(readlink /usr/local/bin/{n})\" = hardway ]")),
            string.Join('\n', Names.Select(n => $"ln -sfT hardway /usr/local/bin/{n}")));
    }
}

/// <summary>Routes to the other machines' Pod subnets, set by a unit so that they come back with the machine.</summary>
internal sealed class PodRoutesStep(ClusterModel cluster, Machine machine) : RemoteStep("pod-routes", cluster, machine, "host-names")
{
    private const string _unit = "hardway-pod-routes.service";

    private IEnumerable<Machine> Others => Cluster.Machines.Machines.Where(m => m != Target && m.PodSubnet is not null);

    public override string Explain =>
        "Pods of different nodes talk without translation, so each machine must know which node has which Pod subnet: "
        + string.Join(", ", Others.Select(m => $"{m.PodSubnet} via {m.Address}")) + ".";

    public override Task VerifyAsync(StepContext context, CancellationToken cancellation) => context.WaitAsync(
        $"the routes of {Target}",
        async token =>
        {
            var routes = (await Ssh.RunAsync(Name, "ip -4 route show", token).ConfigureAwait(false)).Output;
            var missing = Others.Where(m => !routes.Contains($"{m.PodSubnet} via {m.Address} ", StringComparison.Ordinal)).Select(m => m.PodSubnet.ToString()).ToList();
            return missing.Count == 0 ? null : "no route to " + string.Join(", ", missing);
        },
        TimeSpan.FromSeconds(15),
        token => CauseAsync(_unit, token),
        cancellation);

    protected override void Describe(MachineState state)
    {
        var commands = string.Join('\n', Others.Select(m => $"ExecStart=ip route replace {m.PodSubnet} via {m.Address}"));
        state.Unit(_unit, $"""
            [Unit]
            Description=Routes to the Pod subnets of the other machines
            After=network.target network-online.target systemd-networkd.service

            [Service]
            Type=oneshot
            RemainAfterExit=yes
            {(commands.Length > 0 ? commands : "ExecStart=true")}
            Restart=on-failure
            RestartSec=2

            [Install]
            WantedBy=multi-user.target

            """);
    }
}
