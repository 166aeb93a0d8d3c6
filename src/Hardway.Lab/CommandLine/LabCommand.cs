using Hardway.Lab.Host;

namespace Hardway.Lab.CommandLine;

/// <summary>`hardway lab ...`: the machines without a cluster.</summary>
internal static class LabCommand
{
    public static async Task<int> UpAsync(JumpboxSession session, OutputFormat format, CancellationToken stop)
    {
        var start = session.Time.GetTimestamp();
        var machines = session.Machines(null);
        await using var view = session.View(format, machines);
        var changed = await session.Lab(machines).UpAsync(view.Step, stop);
        await view.EndStepsAsync();
        view.Say(changed ? $"the lab is up after {session.Time.GetElapsedTime(start).TotalSeconds:0.0} s" : "the lab was up already");
        return 0;
    }

    public static async Task<int> DownAsync(JumpboxSession session, OutputFormat format, CancellationToken stop)
    {
        var machines = session.Machines(null);
        await using var view = session.View(format, machines);
        await session.Lab(machines).DownAsync(view.Step, stop);
        await view.EndStepsAsync();
        view.Say("removed; nothing of the lab is left on this host but its caches in " + session.Paths.Root);
        return 0;
    }

    public static async Task<int> StartAsync(JumpboxSession session, string machine, OutputFormat format, CancellationToken stop)
    {
        var machines = session.Machines(null);
        await using var view = session.View(format, machines);
        await session.Lab(machines).StartMachineAsync(machine, view.Step, stop);
        return 0;
    }

    public static async Task<int> KillAsync(JumpboxSession session, string machine, OutputFormat format, CancellationToken stop)
    {
        await session.Lab().KillMachineAsync(machine, stop);
        Console.WriteLine(format == OutputFormat.Json ? JsonText.Write(w => { w.WriteString("machine", machine); w.WriteString("state", "stopped"); }) : $"{machine} is off; its disk stays");
        return 0;
    }

    public static async Task<int> StatusAsync(JumpboxSession session, OutputFormat format, CancellationToken stop)
    {
        var machines = await session.Lab().StatusAsync(stop);
        StatusView.Write(new ClusterStatus(machines, [], []), format, Console.Out);
        return machines.All(m => m.State == MachineState.Running) ? 0 : 3;
    }

    /// <summary>Builds the images (a program to look at them with: `ctr images import`).</summary>
    public static async Task<int> ImagesAsync(JumpboxSession session, OutputFormat format, CancellationToken stop)
    {
        await using var view = session.View(format, session.Machines(null));
        var images = await session.Images.EnsureAsync(view.Step, stop);
        await view.EndStepsAsync();
        foreach (var image in images) view.Say($"{image.Path}  {string.Join(' ', image.References)}");
        return 0;
    }

    public static async Task<int> PackagesAsync(IReadOnlyList<(string File, string Package)> wanted, OutputFormat format, CancellationToken stop)
    {
        var missing = HostPackages.Missing(wanted);
        await new HostPackages(Console.Error.WriteLine).EnsureAsync(wanted, stop);
        if (format == OutputFormat.Json) Console.WriteLine(JsonText.Write(w => { w.WriteNumber("wanted", wanted.Count); JsonText.Strings(w, "installed", missing); }));
        return 0;
    }
}
