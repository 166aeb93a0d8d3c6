using System.Net.Sockets;
using Hardway.Hosting;
using Hardway.Lab.Host;
using Hardway.Lab.Machines;
using Hardway.Provisioning.Steps;

namespace Hardway.Lab;

/// <summary>
/// The lab: real machines on one host, started, killed and removed. It owns /var/lib/hardway/{base,machines,lab}, the bridge hw0, what is named hw-NAME
/// and /hardway in the cgroups, and nothing else; it provisions nothing. Safe to call again after any interruption: every call looks at the host first.
/// One caller at a time over all processes (a file lock).
/// <code>
///   absent ──up──► booting ──ssh answers──► running ──kill──► stopped ──start──► booting        (disk kept)
///      ▲                                       │                 │
///      └────────────────down───────────────────┴─────────────────┘
/// </code>
/// </summary>
public sealed class MachineLab(LabPaths paths, LabPlan plan, TimeProvider time)
{
    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(60);

    public LabPlan Plan => plan;

    public LabPaths Paths => paths;

    /// <summary>Installs what the lab needs of the host and the host lacks.</summary>
    public async Task EnsurePackagesAsync(Action<StepEvent>? observer, CancellationToken cancellation)
    {
        Preflight.RequireRoot();
        if (HostPackages.Missing(HostPackages.ForLab).Count == 0) return;
        using var only = LabLock.Take(paths);
        await new LabProgress(observer, time).RunAsync(LabProgress.Host, "packages", async say =>
        {
            await new HostPackages(say).EnsureAsync(HostPackages.ForLab, cancellation);
            return "installed";
        });
    }

    /// <summary>Brings every machine up, to the point where SSH answers. Returns whether anything had to be done.</summary>
    public async Task<bool> UpAsync(Action<StepEvent>? observer, CancellationToken cancellation)
    {
        Preflight.RequireRoot();
        await EnsurePackagesAsync(observer, cancellation);
        using var only = LabLock.Take(paths);
        var progress = new LabProgress(observer, time);
        var tree = new BaseTree(paths, _ => { });
        await Preflight.CheckAsync(paths, tree.Exists, cancellation);
        if (!tree.Exists)
            await progress.RunAsync(LabProgress.Host, "base tree", async say => { await new BaseTree(paths, say).EnsureAsync(cancellation); return tree.Path; });
        var identity = new MachineIdentity(paths);
        await identity.EnsureJumpboxKeyAsync(cancellation);
        await MachineNetwork.EnsureBridgeAsync(cancellation);
        await new HostFirewall(paths).EnsureAsync(cancellation);
        var started = await Task.WhenAll(plan.Machines.Select(machine => EnsureRunningAsync(machine, tree.Path, progress, cancellation)));
        await identity.WriteKnownHostsAsync(plan.Machines.Select(m => (m, new MachineMounts(paths, m.Name).Upper)), cancellation);
        return started.Any(s => s);
    }

    /// <summary>Power on: the machine comes back with the disk it had.</summary>
    public async Task StartMachineAsync(string name, Action<StepEvent>? observer, CancellationToken cancellation)
    {
        Preflight.RequireRoot();
        using var only = LabLock.Take(paths);
        var machine = plan.Find(name);
        var tree = new BaseTree(paths, _ => { });
        if (!tree.Exists || !Directory.Exists(paths.MachineFolder(name))) throw new ComponentException($"machine {name} was never made: bring the lab up first");
        await EnsureRunningAsync(machine, tree.Path, new LabProgress(observer, time), cancellation);
    }

    /// <summary>Power off without warning, as when the plug is pulled; the disk stays.</summary>
    public async Task KillMachineAsync(string name, CancellationToken cancellation)
    {
        Preflight.RequireRoot();
        using var only = LabLock.Take(paths);
        await PowerOffAsync(plan.Find(name), cancellation);
    }

    /// <summary>Takes one machine away with its disk; the others, and what they share, stay.</summary>
    public async Task RemoveMachineAsync(string name, Action<StepEvent>? observer, CancellationToken cancellation)
    {
        Preflight.RequireRoot();
        using var only = LabLock.Take(paths);
        await RemoveAsync(name, new LabProgress(observer, time), cancellation);
    }

    public async Task<IReadOnlyList<MachineStatus>> StatusAsync(CancellationToken cancellation)
    {
        return await Task.WhenAll(plan.Machines.Select(async machine =>
        {
            var leader = new MachineProcess(paths, machine).Leader();
            if (leader is null) return new MachineStatus(machine, Directory.Exists(paths.MachineFolder(machine.Name)) ? MachineState.Stopped : MachineState.Absent, null);
            var answers = await SshAnswersAsync(machine, TimeSpan.FromSeconds(1), cancellation);
            return new MachineStatus(machine, answers ? MachineState.Running : MachineState.Booting, leader);
        }));
    }

    /// <summary>Stops and removes everything the lab made but its caches, then looks at the host for anything left; that would be an error.</summary>
    public async Task DownAsync(Action<StepEvent>? observer, CancellationToken cancellation)
    {
        Preflight.RequireRoot();
        using var only = LabLock.Take(paths);
        var progress = new LabProgress(observer, time);
        // Machines of an earlier plan too: by what is on the host.
        var names = plan.Machines.Select(m => m.Name).Concat(MachineNetwork.Namespaces().Select(n => n[3..]))
            .Concat(Directory.Exists(paths.Machines) ? Directory.GetDirectories(paths.Machines).Select(d => Path.GetFileName(d)!) : []).Distinct().ToList();
        await Task.WhenAll(names.Where(IsThere).Select(name => RemoveAsync(name, progress, cancellation)));
        await progress.RunAsync(LabProgress.Host, "remove", async _ =>
        {
            await MachineNetwork.RemoveBridgeAsync(cancellation);
            await new HostFirewall(paths).RemoveAsync(cancellation);
            if (Directory.Exists(paths.Machines)) Directory.Delete(paths.Machines);
            if (Directory.Exists(paths.State)) Directory.Delete(paths.State, recursive: true);
            if (Directory.Exists(Path.GetDirectoryName(paths.SshKey))) Directory.Delete(Path.GetDirectoryName(paths.SshKey)!, recursive: true);
            MachineCgroup.TryRemove(null);
            return "";
        });
        var left = await Residue.LookAsync(paths, cancellation);
        if (left.Count > 0) throw new ComponentException($"after removal these are still on the host: {string.Join(", ", left.Take(8))}");
    }

    private Task RemoveAsync(string name, LabProgress progress, CancellationToken cancellation) => progress.RunAsync(name, "remove", async _ =>
    {
        await PowerOffAsync(new LabMachine(name, System.Net.IPAddress.None), cancellation);
        var folder = paths.MachineFolder(name);
        if (Directory.Exists(folder)) await HostCommand.RunAsync("rm", ["-rf", "--one-file-system", folder], cancellation);
        return "";
    });

    private bool IsThere(string name) =>
        Directory.Exists(paths.MachineFolder(name)) || MachineNetwork.Namespaces().Contains("hw-" + name) || MachineNetwork.Links().Contains("hw-" + name) || MachineCgroup.Existing(name).Any();

    private async Task<bool> EnsureRunningAsync(LabMachine machine, string tree, LabProgress progress, CancellationToken cancellation)
    {
        var process = new MachineProcess(paths, machine);
        if (process.Leader() is not null && await SshAnswersAsync(machine, TimeSpan.FromSeconds(5), cancellation)) return false;
        await progress.RunAsync(machine.Name, "boot", async _ =>
        {
            // Half started, half killed or hung: power off is the one way from any of these to a known state.
            await PowerOffAsync(machine, cancellation);
            var mounts = new MachineMounts(paths, machine.Name);
            await new MachineIdentity(paths).EnsureAsync(mounts.Upper, cancellation);
            await mounts.MountAsync(tree, cancellation);
            await MachineNetwork.PlugInAsync(machine, cancellation);
            await process.StartAsync(cancellation);
            await WaitForSshAsync(machine, process, cancellation);
            return "";
        });
        return true;
    }

    private async Task PowerOffAsync(LabMachine machine, CancellationToken cancellation)
    {
        await new MachineProcess(paths, machine).KillAsync(cancellation);
        await new MachineMounts(paths, machine.Name).UnmountAsync(cancellation);
        await MachineNetwork.UnplugAsync(machine.Link, cancellation);
    }

    private async Task WaitForSshAsync(LabMachine machine, MachineProcess process, CancellationToken cancellation)
    {
        var start = time.GetTimestamp();
        while (!await SshAnswersAsync(machine, TimeSpan.FromSeconds(1), cancellation))
        {
            if (time.GetElapsedTime(start) > BootLimit)
                throw new ComponentException($"machine {machine.Name} does not answer SSH at {machine.Address} after {BootLimit.TotalSeconds:0} s. Its console ends with: {process.ConsoleTail()}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellation);
        }
    }

    /// <summary>A connection is not enough (the kernel accepts for a socket that systemd holds): the server's banner is.</summary>
    private static async Task<bool> SshAnswersAsync(LabMachine machine, TimeSpan patience, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(patience);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(machine.Address, 22, limit.Token);
            var banner = new byte[4];
            return await socket.ReceiveAsync(banner, limit.Token) == 4 && banner.AsSpan().SequenceEqual("SSH-"u8);
        }
        catch (SocketException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }
}
