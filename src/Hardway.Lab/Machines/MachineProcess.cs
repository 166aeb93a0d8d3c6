using System.Diagnostics;
using System.Globalization;
using Hardway.Hosting;
using Hardway.Lab.Host;

namespace Hardway.Lab.Machines;

/// <summary>A machine's processes: systemd-nspawn, the machine's PID 1 below it, and all that runs inside; found by their cgroup, not by a PID file.</summary>
internal sealed class MachineProcess(LabPaths paths, LabMachine machine)
{
    /// <summary>Constant; the arguments are the cgroup.procs files to enter, the log, and after "--" what to become. The new session keeps the terminal's signals away.</summary>
    private const string EnterAndBecome = """
        while [ "$1" != -- ]; do echo $$ > "$1" || exit 1; shift; done
        shift; log=$1; shift
        exec setsid "$@" >> "$log" 2>&1 < /dev/null
        """;

    private readonly MachineCgroup _cgroup = new(machine.Name);

    /// <summary>The machine's PID 1 as the host sees it; null when it is not running.</summary>
    public int? Leader()
    {
        var depth = NamespacePids("self").Count;
        foreach (var pid in _cgroup.Processes())
            if (NamespacePids(pid.ToString(CultureInfo.InvariantCulture)) is var pids && pids.Count == depth + 1 && pids[^1] == "1") return pid;
        return null;
    }

    public async Task StartAsync(CancellationToken cancellation)
    {
        var doors = _cgroup.Create();
        List<string> arguments = ["-c", EnterAndBecome, "sh", .. doors, "--", paths.MachineLog(machine.Name), .. Nspawn()];
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        // Without it /proc/sys is read-only inside, and a node sets forwarding and bridge filtering there.
        start.Environment["SYSTEMD_NSPAWN_API_VFS_WRITABLE"] = "yes";
        start.Environment.Remove("NOTIFY_SOCKET");
        start.WorkingDirectory = "/";
        using var process = Process.Start(start) ?? throw new ComponentException("/bin/sh did not start");
        process.StandardInput.Close();
        // The shell's own errors end with it; when it has become nspawn, its streams are the log and these close.
        var error = await process.StandardError.ReadToEndAsync(cancellation);
        if (error.Trim().Length > 0) throw new ComponentException($"machine {machine.Name} could not enter its cgroups: {error.Trim()}");
    }

    /// <summary>Power off without warning: nothing inside gets to clean up. Returns when no process is left.</summary>
    public async Task KillAsync(CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(TimeSpan.FromSeconds(20));
        try
        {
            // PID 1 first: the kernel ends everything in its PID namespace with it. The rest is nspawn itself.
            if (Leader() is { } leader) Kill(leader);
            while (_cgroup.Processes() is { Count: > 0 } left)
            {
                foreach (var pid in left) Kill(pid);
                await Task.Delay(20, deadline.Token);
            }
            while (!MachineCgroup.TryRemove(machine.Name)) await Task.Delay(20, deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ComponentException($"machine {machine.Name} does not end: {_cgroup.Processes().Count} of its processes ignore SIGKILL");
        }
    }

    /// <summary>The end of the machine's console, for a message that says why it did not come up.</summary>
    public string ConsoleTail()
    {
        var log = paths.MachineLog(machine.Name);
        return File.Exists(log) ? string.Join(" | ", File.ReadLines(log).Where(l => l.Trim().Length > 0).TakeLast(3)) : "no console output";
    }

    private List<string> Nspawn()
    {
        List<string> arguments =
        [
            HostCommand.Find("systemd-nspawn") ?? throw new ComponentException("systemd-nspawn is not on this host (package systemd-container)"),
            "--quiet", "--boot", "--register=no", "--keep-unit", "--machine=" + machine.Name, "--directory=" + paths.MountPoint(machine.Name),
            "--network-namespace-path=/run/netns/" + machine.Link, "--capability=all", "--system-call-filter=@keyring bpf", "--resolv-conf=off", "--timezone=off", "--link-journal=no",
        ];
        arguments.AddRange(MachineMounts.Plain.Select(p => $"--bind={Path.Combine(paths.MachineFolder(machine.Name), p.Folder)}:{p.Inside}"));
        return arguments;
    }

    private static void Kill(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
        }
        catch (ArgumentException)
        {
            // it is gone
        }
        catch (InvalidOperationException)
        {
            // it went meanwhile
        }
    }

    private static IReadOnlyList<string> NamespacePids(string pid)
    {
        try
        {
            var line = File.ReadLines($"/proc/{pid}/status").FirstOrDefault(l => l.StartsWith("NSpid:", StringComparison.Ordinal));
            return line?[6..].Split('\t', StringSplitOptions.RemoveEmptyEntries) ?? [];
        }
        catch (IOException)
        {
            return [];
        }
    }
}
