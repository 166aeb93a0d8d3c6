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

    /// <summary>Takes the table out again; a machine keeps its name.</summary>
    public override Task UndoAsync(StepContext context, CancellationToken cancellation)
        => Ssh.RunAsync(Name, $"sed -i '/^{HostTable.Begin}$/,/^{HostTable.End}$/d' /etc/hosts", cancellation);

    protected override void Describe(MachineState state)
    {
        var block = HostTable.Render(Cluster.Machines);
        const string Extract = $"sed -n '/^{HostTable.Begin}$/,/^{HostTable.End}$/p' /etc/hosts";
        state.File("/etc/hostname", Target.HostName + "\n")
            .Setting("host name", $"[ \"$(hostname)\" = {Target.HostName} ]", $"hostname {Target.HostName}", "/etc/hostname")
            .Setting(
                "host lookup table",
                $"[ \"$({Extract})\" = {SshMachine.Quote(block.TrimEnd('\n'))} ] && ! grep -q '^127\\.0\\.1\\.1[[:space:]]' /etc/hosts",
                // Debian's line that gives the own name to 127.0.1.1 would hide the machine's real address from it.
                "{ sed -e '/^127\\.0\\.1\\.1[[:space:]]/d' -e '/^" + HostTable.Begin + "$/,/^" + HostTable.End + "$/d' /etc/hosts; printf %s "
                    + SshMachine.Quote(block) + "; } >/etc/hosts.hardway-new\nchmod 644 /etc/hosts.hardway-new\n"
                    + "mv -fT /etc/hosts.hardway-new /etc/hosts 2>/dev/null || { cat /etc/hosts.hardway-new >/etc/hosts; rm /etc/hosts.hardway-new; }",
                "/etc/hosts");
    }
}

/// <summary>Every machine reaches every other one by its name. Nothing to apply: the check is the step.</summary>
internal sealed class ConnectivityStep(ClusterModel cluster, Machine machine) : Step("connectivity", machine.HostName, "ssh-key", "host-names@*")
{
    public override string Explain =>
        $"From {machine}, sends a packet to each of the other {cluster.Machines.Machines.Count - 1} machines by name (ping, or where that is filtered the SSH port): "
        + "name resolution, routes and filters in one. The machine must also know itself by its names.";

    public override string Expected => $"{machine} calls itself {machine.HostName} and {machine.Fqdn}, and reaches every other machine by name";

    public override IReadOnlyList<StepItem> Contents => [new("command", "bash", Script)];

    private string Script =>
        $$"""
        echo "$(hostname) $(hostname -f)"
        for name in {{string.Join(' ', cluster.Machines.Machines.Where(m => m != machine).Select(m => m.HostName))}}; do
          ( ping -n -q -c 1 -W 2 "$name" || timeout 5 bash -c ": </dev/tcp/$name/{{cluster.Options.Ssh.Port}}" || echo "$name" >&3 ) 3>&1 >/dev/null 2>&1 &
        done
        wait
        """;

    public override Task<StepCheck> CheckAsync(StepContext context, CancellationToken cancellation) => Task.FromResult(StepCheck.Good);

    public override Task ApplyAsync(StepContext context, CancellationToken cancellation) => Task.CompletedTask;

    public override async Task<string> VerifyAsync(StepContext context, CancellationToken cancellation)
    {
        var result = await cluster.SshTo(machine).RunAsync(Name, Script, cancellation).ConfigureAwait(false);
        var lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines[0] != $"{machine.HostName} {machine.Fqdn}")
        {
            throw new ComponentException($"{machine.Address} calls itself {lines[0]}, not {machine.HostName} {machine.Fqdn}");
        }

        if (lines.Length > 1)
        {
            throw new ComponentException($"{machine} does not reach {string.Join(", ", lines[1..])}; look at routes and packet filters between them");
        }

        await VerifyKeyAsync(cancellation).ConfigureAwait(false);
        return $"{lines[0]}; reaches {cluster.Machines.Machines.Count - 1} machines by name";
    }

    /// <summary>A log-in of its own, with nothing but the cluster's key.</summary>
    private async Task VerifyKeyAsync(CancellationToken cancellation)
    {
        if (!cluster.SshTo(machine).KeyIsNew)
        {
            return;
        }

        var result = await cluster.SshTo(machine).LogInAsync(cluster.SshPaths.Key, cancellation).ConfigureAwait(false);
        if (!result.Succeeded)
        {
            throw new ComponentException($"{machine} does not accept the key that was just added: {result.Reason}");
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
            string.Join('\n', Names.Select(n => $"ln -sfT hardway /usr/local/bin/{n}")),
            [.. Names.Select(n => $"/usr/local/bin/{n}")]);
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

    public override string Expected => "the kernel has a route to the Pod subnet of every other machine";

    public override Task<string> VerifyAsync(StepContext context, CancellationToken cancellation) => context.WaitAsync(
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
        // The unit stays active when somebody deletes a route behind its back.
        state.Setting(
            "routes",
            "r=$(ip -4 route show)\n" + string.Join('\n', Others.Select(m => $"case \"$r\" in *'{m.PodSubnet} via {m.Address} '*) ;; *) exit 1;; esac")),
            string.Join('\n', Others.Select(m => $"ip route replace {m.PodSubnet} via {m.Address}")));
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
