using Hardway.Lab.Host;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway lab ...`: the machines without a cluster.</summary>
internal static class LabCommand
{
    public static async Task<int> UpAsync(JumpboxSession session, OutputFormat format, CancellationToken stop)
    {
        var start = session.Time.GetTimestamp();
        using var view = ProgressView.Create(format);
        var changed = await session.Lab.UpAsync(view, stop);
        view.Finish(changed ? $"the lab is up after {session.Time.GetElapsedTime(start).TotalSeconds:0.0} s" : "the lab was up already");
        return 0;
    }

    public static async Task<int> DownAsync(JumpboxSession session, OutputFormat format, CancellationToken stop)
    {
        using var view = ProgressView.Create(format);
        await session.Lab.DownAsync(view, stop);
        view.Finish("removed; nothing of the lab is left on this host but its caches in " + session.Paths.Root);
        return 0;
    }

    public static async Task<int> StartAsync(JumpboxSession session, string machine, OutputFormat format, CancellationToken stop)
    {
        using var view = ProgressView.Create(format);
        await session.Lab.StartMachineAsync(machine, view, stop);
        return 0;
    }

    public static async Task<int> KillAsync(JumpboxSession session, string machine, CancellationToken stop)
    {
        await session.Lab.KillMachineAsync(machine, stop);
        return 0;
    }

    public static async Task<int> StatusAsync(JumpboxSession session, OutputFormat format, CancellationToken stop)
    {
        var machines = await session.Lab.StatusAsync(stop);
        StatusView.Write(machines, format, Console.Out);
        return machines.All(m => m.State == MachineState.Running) ? 0 : 3;
    }

    public static async Task<int> PackagesAsync(IReadOnlyList<(string File, string Package)> wanted, CancellationToken stop)
    {
        await new HostPackages(Console.Error.WriteLine).EnsureAsync(wanted, stop);
        return 0;
    }
}
