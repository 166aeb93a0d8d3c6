using System.CommandLine;
using System.CommandLine.Help;
using Hardway.Lab.Host;
using Hardway.Provisioning.Machines;

namespace Hardway.Lab.CommandLine;

/// <summary>
/// The jumpbox program's command line. `ssh` and `kubectl` are taken out before anything is parsed: what follows them belongs to those programs.
/// Every command that tells something takes --output json.
/// </summary>
internal static class JumpboxCommands
{
    private static readonly Option<OutputFormat> Output = new("--output", "-o")
    {
        Description = "text or json (one object a line while something goes on)",
        DefaultValueFactory = _ => OutputFormat.Text,
        Recursive = true,
    };

    public static Task<int> RunAsync(string[] args, CancellationToken stop)
    {
        var session = new JumpboxSession(new LabPaths(), TimeProvider.System);
        return args switch
        {
            ["kubectl", .. var rest] => KubectlCommand.RunAsync(session, rest, stop),
            ["ssh", "--help" or "-h"] => Root(session).Parse(["ssh", "--help"]).InvokeAsync(cancellationToken: stop),
            ["ssh", var machine, .. var rest] => SshCommand.RunAsync(session, machine, rest, stop),
            _ => InvokeAsync(Root(session).Parse(args), stop),
        };
    }

    private static Task<int> InvokeAsync(ParseResult parsed, CancellationToken stop) =>
        parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(30) }, stop);

    internal static RootCommand Root(JumpboxSession session)
    {
        var root = new RootCommand("Kubernetes the hard way, in C#: a highly available cluster on machines of your own, or in a lab of machines on this host.");
        root.Options.Add(Output);
        foreach (var help in root.Options.OfType<HelpOption>()) help.Action = new HelpWithExamples((HelpAction)help.Action!);
        root.Subcommands.Add(Up(session));
        root.Subcommands.Add(OnMachines("preflight", "What would make a cluster of these machines suffer: clocks, names, subnets, packet filters, ports, disks, memory; touches nothing", (options, parsed, stop) => PreflightCommand.RunAsync(session, options, parsed.GetValue(Output), stop)));
        root.Subcommands.Add(OnMachines("plan", "What up would change on each machine; touches nothing", (options, parsed, stop) => PlanCommand.RunAsync(session, options, parsed.GetValue(Output), stop)));
        root.Subcommands.Add(Step(session));
        root.Subcommands.Add(Verify(session));
        root.Subcommands.Add(Doctor(session));
        root.Subcommands.Add(Break(session));
        root.Subcommands.Add(Drill(session));
        root.Subcommands.Add(WhatIf(session));
        root.Subcommands.Add(Members(session, MachineRole.Node, "node", "Nodes of the cluster: one more, or one less"));
        root.Subcommands.Add(Members(session, MachineRole.Server, "server", "Servers of the cluster (etcd, API server, controller manager, scheduler): one more, or one less"));
        root.Subcommands.Add(Reset(session));
        root.Subcommands.Add(Named("shell", "bash, zsh or fish", "completion", "Prints a completion script: source <(hardway completion bash)", (shell, parsed, _) => Task.FromResult(CompletionCommand.Run(shell, parsed.GetValue(Output), Console.Out))));
        root.Subcommands.Add(Act("down", "Stops and removes the lab with its cluster, and proves that nothing is left", (parsed, stop) => DownCommand.RunAsync(session, parsed.GetValue(Output), stop)));
        root.Subcommands.Add(Act("status", "Machines, nodes, API and who leads", (parsed, stop) => StatusCommand.RunAsync(session, parsed.GetValue(Output), stop)));
        root.Subcommands.Add(new Command("ssh", "A shell, or one command, on a machine: hardway ssh node-0 [COMMAND...]"));
        root.Subcommands.Add(new Command("kubectl", "Runs kubectl against the cluster: hardway kubectl get nodes"));
        root.Subcommands.Add(Explain(session));
        root.Subcommands.Add(Lab(session));
        return root;
    }

    /// <summary>`up` and `plan` take the same machines.</summary>
    private static Command OnMachines(string name, string description, Func<UpOptions, ParseResult, CancellationToken, Task<int>> action, params Option[] more)
    {
        var machines = new Option<string?>("--machines") { Description = "a machine database (IPV4_ADDRESS FQDN HOSTNAME POD_SUBNET a line) of machines that exist; without it, a lab on this host" };
        var lab = new Option<bool>("--lab") { Description = "run the machines of --machines on this host" };
        var user = new Option<string>("--ssh-user") { Description = "who may log in at first: root, or a user with sudo", DefaultValueFactory = _ => "root" };
        var (key, ask, file) = FirstLogIn();
        var type = new Option<string?>("--key-type") { Description = "the key that is made for the cluster: ed25519, or rsa (4096 bits); without it ed25519" };
        type.AcceptOnlyFromAmong("ed25519", "rsa");
        var command = Act(name, description, (parsed, stop) => action(new UpOptions
        {
            Password = PasswordOf(parsed, ask, file, parsed.GetRequiredValue(user)),
            Machines = parsed.GetValue(machines),
            Lab = parsed.GetValue(lab) || parsed.GetValue(machines) is null,
            User = parsed.GetRequiredValue(user),
            Key = parsed.GetValue(key),
            KeyType = parsed.GetValue(type),
        }, parsed, stop));
        foreach (var option in (Option[])[machines, lab, user, key, ask, file, type, .. more]) command.Options.Add(option);
        return command;
    }

    private static Command Up(JumpboxSession session)
    {
        var explain = new Option<bool>("--explain") { Description = "say of each step what it does and why, with this run's own values" };
        var ignore = new Option<bool>("--ignore-preflight") { Description = "go on although the preflight found something bad" };
        return OnMachines("up", "Makes a highly available cluster and verifies it; again, it changes only what differs", (options, parsed, stop) =>
            UpCommand.RunAsync(session, options with { Explain = parsed.GetValue(explain), IgnorePreflight = parsed.GetValue(ignore) }, parsed.GetValue(Output), stop), explain, ignore);
    }

    private static Command Step(JumpboxSession session)
    {
        var step = new Command("step", "The steps of provisioning one by one");
        step.Subcommands.Add(Act("list", "Every step, where it runs and after what", (parsed, _) => StepCommand.ListAsync(session, parsed.GetValue(Output))));
        step.Subcommands.Add(OnStep("show", "What a step does and why, its files, units and commands, and what must be seen", (name, parsed, _) => StepCommand.ShowAsync(session, name, parsed.GetValue(Output))));
        step.Subcommands.Add(OnStep("run", "Runs a step alone: check, apply what is missing, verify", (name, parsed, stop) => StepCommand.RunAsync(session, name, parsed.GetValue(Output), stop)));
        step.Subcommands.Add(OnStep("undo", "Takes away what a step made", (name, parsed, stop) => StepCommand.UndoAsync(session, name, parsed.GetValue(Output), stop)));
        return step;
    }

    private static Command Verify(JumpboxSession session)
    {
        var junit = new Option<string?>("--junit") { Description = "also write the result to this file, as JUnit does" };
        var gentle = new Option<bool>("--gentle") { Description = "do not take a backend away from the load balancer" };
        var command = Act("verify", "Every verification of the three modules, expected against seen, each from the other side", (parsed, stop) =>
            VerifyCommand.RunAsync(session, parsed.GetValue(gentle), parsed.GetValue(junit), parsed.GetValue(Output), stop));
        command.Options.Add(junit);
        command.Options.Add(gentle);
        return command;
    }

    private static Command Doctor(JumpboxSession session)
    {
        var matrix = new Option<bool>("--matrix") { Description = "put in every fault, one after the other, and see whether the doctor names it" };
        var faults = new Argument<string[]>("fault") { Description = "for --matrix: only these", Arity = ArgumentArity.ZeroOrMore };
        var command = Act("doctor", "Finds what is wrong with the cluster: the cause, its evidence, and the fix", (parsed, stop) => parsed.GetValue(matrix)
            ? DoctorCommand.MatrixAsync(session, parsed.GetValue(faults) ?? [], parsed.GetValue(Output), stop)
            : DoctorCommand.RunAsync(session, parsed.GetValue(Output), stop));
        command.Options.Add(matrix);
        command.Arguments.Add(faults);
        return command;
    }

    private static Command Break(JumpboxSession session)
    {
        var name = new Argument<string?>("fault") { Description = "which one", Arity = ArgumentArity.ZeroOrOne };
        var flags = new[] { ("--random", "any one, and you are not told which"), ("--list", "show all faults"), ("--hint", "one more hint"), ("--check", "is it mended?"), ("--undo", "give up: take it out and explain it") }
            .Select(f => new Option<bool>(f.Item1) { Description = f.Item2 }).ToArray();
        var command = Act("break", "Puts a fault into the cluster for you to find", (parsed, stop) => Array.FindIndex(flags, parsed.GetValue) switch
        {
            1 => BreakCommand.ListAsync(session, parsed.GetValue(Output)),
            2 => BreakCommand.HintAsync(session, parsed.GetValue(Output)),
            3 => BreakCommand.CheckAsync(session, parsed.GetValue(Output), stop),
            4 => BreakCommand.UndoAsync(session, parsed.GetValue(Output), stop),
            0 => BreakCommand.PutInAsync(session, null, parsed.GetValue(Output), stop),
            _ => BreakCommand.PutInAsync(session, parsed.GetValue(name) ?? throw new Hosting.ComponentException("which fault? hardway break NAME, or --random, or --list"), parsed.GetValue(Output), stop),
        });
        command.Arguments.Add(name);
        foreach (var flag in flags) command.Options.Add(flag);
        return command;
    }

    private static Command Explain(JumpboxSession session)
    {
        var name = new Argument<string>("name") { Description = "the Pod" };
        var ns = new Option<string>("--namespace", "-n") { Description = "its namespace", DefaultValueFactory = _ => "default" };
        var kubeconfig = new Option<string?>("--kubeconfig") { Description = "any cluster; without it, the one that hardway up made" };
        var config = new Option<string?>("--config") { Description = "the scheduler's KubeSchedulerConfiguration; without it, the default profile" };
        var pod = Act("pod", "Why a Pod is on its node, or on none: what every filter and score of the scheduler says of every node", (parsed, stop) =>
            ExplainCommand.PodAsync(session, parsed.GetRequiredValue(name), parsed.GetRequiredValue(ns), parsed.GetValue(kubeconfig), parsed.GetValue(config), parsed.GetValue(Output), stop));
        pod.Arguments.Add(name);
        foreach (var option in new Option[] { ns, kubeconfig, config }) pod.Options.Add(option);
        return new Command("explain", "Why things are as they are") { pod };
    }

    private static Command Drill(JumpboxSession session)
    {
        var component = new Argument<string?>("component") { Description = "what to take away: scheduler-leader, etcd-leader, api-server, ... (--list)", Arity = ArgumentArity.ZeroOrOne };
        var manner = new Option<string>("--manner") { Description = "how: stop, kill, freeze, power-off, reject, cut, isolate, full-disk, clock-jump", DefaultValueFactory = _ => "kill" };
        var list = new Option<bool>("--list") { Description = "show components and their manners" };
        var all = new Option<bool>("--all") { Description = "every drill (of the component), and the kill matrix" };
        var svg = new Option<string?>("--svg") { Description = "with --all: write the kill matrix to this file" };
        var html = new Option<string?>("--html") { Description = "with --all: write everything to this one page" };
        var command = Act("drill", "Takes something away from the running cluster and measures what follows, against what the settings say", (parsed, stop) =>
            parsed.GetValue(list) ? Task.FromResult(DrillCommand.List(parsed.GetValue(Output)))
            : parsed.GetValue(all) ? DrillCommand.AllAsync(session, parsed.GetValue(component), parsed.GetValue(svg), parsed.GetValue(html), parsed.GetValue(Output), stop)
            : DrillCommand.RunAsync(session, parsed.GetValue(component) ?? throw new Hosting.ComponentException("drill what? hardway drill --list shows what there is"), parsed.GetRequiredValue(manner), parsed.GetValue(Output), stop));
        command.Arguments.Add(component);
        foreach (var option in new Option[] { manner, list, all, svg, html }) command.Options.Add(option);
        return command;
    }

    private static Command Reset(JumpboxSession session)
    {
        var yes = new Option<bool>("--yes") { Description = "really" };
        var command = Act("reset", "Takes the cluster off its machines and proves that nothing of it is left on them", (parsed, stop) =>
            ResetCommand.RunAsync(session, parsed.GetValue(yes), parsed.GetValue(Output), stop));
        command.Options.Add(yes);
        return command;
    }

    private static Command WhatIf(JumpboxSession session)
    {
        var words = new Argument<string[]>("question") { Description = "lose server-0 then server-1", Arity = ArgumentArity.OneOrMore };
        var command = Act("what-if", "What the loss of machines would mean, from the live membership: hardway what-if lose server-0 then server-1", (parsed, stop) =>
            WhatIfCommand.RunAsync(session, parsed.GetValue(words) ?? [], parsed.GetValue(Output), stop));
        command.Arguments.Add(words);
        return command;
    }

    private static Command Members(JumpboxSession session, MachineRole role, string name, string description)
    {
        var address = new Option<string?>("--address") { Description = "its IPv4 address; in the lab the next free one" };
        var subnet = new Option<string?>("--pod-subnet") { Description = "the subnet of its Pods; without it the next free one" };
        var (key, ask, file) = FirstLogIn();
        var add = Named("name", $"its host name, such as {name}-3", "add", role == MachineRole.Node
            ? "A machine becomes a node: hardway node add node-2 [--address 10.240.0.82 --pod-subnet 10.200.2.0/24]"
            : "A machine becomes a server, in etcd as a learner first; a server that etcd has lost joins again: hardway server add server-3 [--address 10.240.0.73]",
            (host, parsed, stop) => MembershipCommand.AddAsync(
                session, role, host, new JoinOptions(parsed.GetValue(address), role == MachineRole.Node ? parsed.GetValue(subnet) : null, parsed.GetValue(key), PasswordOf(parsed, ask, file, session.Access.User)), parsed.GetValue(Output), stop));
        foreach (var option in (Option[])[address, .. role == MachineRole.Node ? (Option[])[subnet] : [], key, ask, file]) add.Options.Add(option);
        var force = new Option<bool>("--force") { Description = "also lose Pods that nobody makes anew" };
        var remove = Named("name", "its host name", "remove", role == MachineRole.Node
            ? "Drains a node, takes it out of the cluster, and proves that nothing is left on it"
            : "Takes a server out of load balancer, control plane and etcd, and proves that nothing is left on it; refused where a majority would be lost",
            (host, parsed, stop) => MembershipCommand.RemoveAsync(session, role, host, role == MachineRole.Node && parsed.GetValue(force), parsed.GetValue(Output), stop));
        if (role == MachineRole.Node) remove.Options.Add(force);
        return new Command(name, description) { add, remove };
    }

    /// <summary>How a machine that has no key of ours yet is opened.</summary>
    private static (Option<string?> Key, Option<bool> Ask, Option<string?> File) FirstLogIn() =>
    (
        new Option<string?>("--ssh-key") { Description = "the private key that opens the machines at first" },
        new Option<bool>("--ask-password", "--ssh-password") { Description = "ask for the user's password, for the first log-in and for sudo" },
        new Option<string?>("--ssh-password-file") { Description = $"a file with that password; {UserPassword.Variable} names one for every command" }
    );

    private static string? PasswordOf(ParseResult parsed, Option<bool> ask, Option<string?> file, string user) =>
        parsed.GetValue(file) is { } path ? UserPassword.OfFile(path) : parsed.GetValue(ask) ? UserPassword.Ask(user) : null;

    private static Command Lab(JumpboxSession session)
    {
        var lab = new Command("lab", "The machines alone, without a cluster on them");
        lab.Subcommands.Add(Act("up", "Starts the machines", (parsed, stop) => LabCommand.UpAsync(session, parsed.GetValue(Output), stop)));
        lab.Subcommands.Add(Act("down", "Stops and removes the machines and all that was made for them", (parsed, stop) => LabCommand.DownAsync(session, parsed.GetValue(Output), stop)));
        lab.Subcommands.Add(Act("status", "What of the lab is on this host", (parsed, stop) => LabCommand.StatusAsync(session, parsed.GetValue(Output), stop)));
        lab.Subcommands.Add(Act("images", "Builds the container images that the nodes import, and tells where they are", (parsed, stop) => LabCommand.ImagesAsync(session, parsed.GetValue(Output), stop)));
        lab.Subcommands.Add(OnMachine("start", "Powers a machine on, with the disk it had", (name, parsed, stop) => LabCommand.StartAsync(session, name, parsed.GetValue(Output), stop)));
        lab.Subcommands.Add(OnMachine("kill", "Powers a machine off without warning; its disk stays", (name, parsed, stop) => LabCommand.KillAsync(session, name, parsed.GetValue(Output), stop)));
        var forTests = new Option<bool>("--for-tests") { Description = "also what the tests use" };
        var packages = Act("packages", "Installs the host packages that are missing; starts no service", (parsed, stop) =>
            LabCommand.PackagesAsync(parsed.GetValue(forTests) ? HostPackages.ForTests : HostPackages.ForLab, parsed.GetValue(Output), stop));
        packages.Options.Add(forTests);
        lab.Subcommands.Add(packages);
        return lab;
    }

    private static Command Act(string name, string description, Func<ParseResult, CancellationToken, Task<int>> action)
    {
        var command = new Command(name, description);
        command.SetAction(action);
        return command;
    }

    private static Command OnStep(string name, string description, Func<string, ParseResult, CancellationToken, Task<int>> action)
        => Named("step", "its name (etcd), or with a machine (etcd@server-0)", name, description, action);

    private static Command OnMachine(string name, string description, Func<string, ParseResult, CancellationToken, Task<int>> action)
        => Named("machine", "its name, such as node-0", name, description, action);

    private static Command Named(string argument, string what, string name, string description, Func<string, ParseResult, CancellationToken, Task<int>> action)
    {
        var value = new Argument<string>(argument) { Description = what };
        var command = new Command(name, description);
        command.Arguments.Add(value);
        command.SetAction((parsed, stop) => action(parsed.GetRequiredValue(value), parsed, stop));
        return command;
    }
}
