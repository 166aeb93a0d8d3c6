using Hardway.Hosting;
using Hardway.Lab.Machines;

namespace Hardway.Lab.Host;

/// <summary>What would make `up` fail half way is looked for before anything is made; each finding is one line with the way out, and all are told at once.</summary>
internal static class Preflight
{
    private const long Gigabyte = 1L << 30;

    public static void RequireRoot()
    {
        if (Environment.UserName != "root") throw new ComponentException("this needs root (machines, mounts and bridges are made): run it with sudo");
    }

    /// <summary>The routes are looked at once `ip` is there, which is after the host's packages.</summary>
    public static async Task CheckAsync(LabPaths paths, bool baseTreeExists, CancellationToken cancellation)
    {
        List<string> findings = [.. Surroundings(paths, baseTreeExists)];
        foreach (var route in await MachineNetwork.ForeignRoutesAsync(cancellation))
            findings.Add($"the lab's subnet {LabPlan.Subnet} is taken: this host has the route '{route}'. Remove it, or stop what made it, and run this again");
        if (findings.Count > 0) throw new ComponentException(string.Join('\n', findings));
    }

    internal static IEnumerable<string> Surroundings(LabPaths paths, bool baseTreeExists)
    {
        if (!OperatingSystem.IsLinux() || System.Runtime.InteropServices.RuntimeInformation.OSArchitecture != System.Runtime.InteropServices.Architecture.X64)
            yield return "the lab runs on 64-bit x86 Linux only";
        if (!File.ReadLines("/proc/filesystems").Any(l => l.EndsWith("\toverlay", StringComparison.Ordinal)) && !Directory.Exists("/sys/module/overlay") && HostCommand.Find("modprobe") is null)
            yield return "this kernel has no overlay file system";
        if (MachineCgroup.Hierarchies().Count == 0) yield return "no cgroups are mounted at /sys/fs/cgroup";
        var need = (baseTreeExists ? 3 : 5) * Gigabyte;
        var free = Free(paths.Root);
        if (free < need) yield return $"too little disk: {paths.Root} has {free / (double)Gigabyte:0.0} GB free and the lab needs {need / Gigabyte} GB";
    }

    private static long Free(string folder)
    {
        var existing = folder;
        while (!Directory.Exists(existing)) existing = Path.GetDirectoryName(existing)!;
        return new DriveInfo(existing).AvailableFreeSpace;
    }
}
