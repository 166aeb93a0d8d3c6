using Hardway.Lab.Host;
using Hardway.Lab.Machines;

namespace Hardway.Lab;

/// <summary>What of a lab is on the host, found by looking at the host and not at what the lab believes it made. Empty after `down`: that is the proof.</summary>
internal static class Residue
{
    public static async Task<IReadOnlyList<string>> LookAsync(LabPaths paths, CancellationToken cancellation)
    {
        var found = new List<string>();
        foreach (var folder in MachineCgroup.Existing()) found.Add("cgroup " + folder);
        foreach (var name in MachineNetwork.Namespaces()) found.Add("network namespace " + name);
        foreach (var link in MachineNetwork.Links()) found.Add("link " + link);
        foreach (var mount in MachineMounts.MountsBelow(paths.Machines)) found.Add("mount " + mount);
        if (Directory.Exists(paths.Machines)) found.Add("folder " + paths.Machines);
        if (await HostFirewall.TableExistsAsync(cancellation)) found.Add("nftables table inet " + HostFirewall.Table);
        foreach (var pid in Processes(paths)) found.Add("process " + pid);
        return found;
    }

    /// <summary>Processes that run from the lab's folders: nspawn by its --directory, whatever cgroup it may be in.</summary>
    private static IEnumerable<string> Processes(LabPaths paths)
    {
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (!char.IsAsciiDigit(Path.GetFileName(folder)[0])) continue;
            string line;
            try
            {
                line = File.ReadAllText(Path.Combine(folder, "cmdline")).Replace('\0', ' ');
            }
            catch (IOException)
            {
                continue; // it ended while we looked
            }
            if (line.Contains("systemd-nspawn", StringComparison.Ordinal) && line.Contains("--directory=" + paths.Machines + "/", StringComparison.Ordinal))
                yield return $"{Path.GetFileName(folder)} ({line[..Math.Min(60, line.Length)].Trim()}...)";
        }
    }
}
