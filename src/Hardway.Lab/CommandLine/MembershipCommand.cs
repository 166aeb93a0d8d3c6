using Hardway.Hosting;
using Hardway.Lab.Host;
using Hardway.Lab.Progress;
using Hardway.Provisioning;
using Hardway.Provisioning.Machines;
using Hardway.Provisioning.Membership;
using Hardway.Provisioning.Steps;

namespace Hardway.Lab.CommandLine;

/// <summary>What is said of a machine that is to join, beside its name.</summary>
internal sealed record JoinOptions(string? Address, string? PodSubnet, string? Key, string? Password);

/// <summary>
/// `hardway node|server add|remove NAME`: a machine joins a cluster that goes on, or leaves it. In the lab the machine itself is made or taken away; a machine that exists is reached by SSH
/// as at `up`. Joining is `up` with one machine more: the same steps, which change what differs everywhere. Safe to run again after an interruption.
/// </summary>
internal static class MembershipCommand
{
    public static async Task<int> AddAsync(JumpboxSession session, MachineRole role, string name, JoinOptions options, OutputFormat format, CancellationToken stop)
    {
        var start = session.Time.GetTimestamp();
        using var only = LabLock.TakeCluster(session.Paths);
        var kept = session.Kept();
        var access = session.Access;
        if (!access.Lab && options.Address is null && kept.Machines.Find(name) is null)
            throw new ComponentException($"where is {name}? Say --address with its IPv4 address (these machines are not the lab's, so none can be chosen)");
        var machines = NewMachine.Join(kept.Machines, role, name, options.Address, options.PodSubnet);
        await using (var before = new Provisioner(kept))
        {
            if (role == MachineRole.Server && await before.JoiningObstacleAsync(stop) is { } obstacle) throw new ComponentException($"{name} cannot join: {obstacle}");
        }
        await using var view = session.View(format, machines);
        var up = new UpOptions { Lab = access.Lab, User = access.User, Key = options.Key, Password = options.Password };
        var images = await UpCommand.MachinesAndImagesAsync(session, up, machines, view, stop);
        var provisioning = session.Provisioning(machines, up, images);
        await PreflightCommand.StopOnBadAsync(provisioning, view, ignore: false, stop);
        await using var provisioner = new Provisioner(provisioning);
        var report = await provisioner.UpAsync(view.Step, stop);
        await UpCommand.ConcludeAsync(session, provisioner, report, view, start, stop);
        view.Say($"{name} is in the cluster, verified after {session.Time.GetElapsedTime(start).TotalSeconds:0.0} s");
        Advise(machines, view);
        return ExitCodes.Done;
    }

    public static async Task<int> RemoveAsync(JumpboxSession session, MachineRole role, string name, bool force, OutputFormat format, CancellationToken stop)
    {
        var start = session.Time.GetTimestamp();
        using var only = LabLock.TakeCluster(session.Paths);
        var kept = session.Kept();
        var machine = kept.Machines.Machines.FirstOrDefault(m => m.Role == role && (m.HostName == name || m.Fqdn == name))
            ?? throw new ComponentException($"there is no {(role == MachineRole.Node ? "node" : "server")} '{name}'; there are {string.Join(", ", role == MachineRole.Node ? kept.Machines.Nodes : kept.Machines.Servers)}");
        await using var view = session.View(format, kept.Machines);
        await using (var before = new Provisioner(kept))
        {
            var left = await before.DepartAsync(machine, force, view.Step, stop);
            if (left.Failures.Count > 0)
            {
                await view.EndStepsAsync();
                throw new ComponentException(string.Join('\n', left.Failures.Select(f => $"{f.Machine} {f.Step}: {f.Detail}").Append($"{name} is still in the cluster; run this again when that is mended")));
            }
        }
        if (session.Access.Lab && Environment.UserName == "root") await session.Lab().RemoveMachineAsync(name, view.Step, stop);
        await using var provisioner = new Provisioner(kept with { Machines = kept.Machines.Without(machine) });
        var report = await provisioner.UpAsync(view.Step, stop);
        if (report.Succeeded) await provisioner.ForgetAsync(machine, stop);
        await UpCommand.ConcludeAsync(session, provisioner, report, view, start, stop);
        view.Say($"{name} is no part of the cluster any more, verified after {session.Time.GetElapsedTime(start).TotalSeconds:0.0} s");
        Advise(kept.Machines.Without(machine), view);
        return ExitCodes.Done;
    }

    /// <summary>An even number of members bears no more than one fewer.</summary>
    private static void Advise(MachineDatabase machines, ProgressView view)
    {
        if (machines.Servers.Count % 2 == 0)
            view.Say($"note: {machines.Servers.Count} servers bear the loss of {(machines.Servers.Count - 1) / 2}, as {machines.Servers.Count - 1} do: add one, or remove one");
    }
}
