using System.Globalization;
using System.Runtime.InteropServices;

namespace Hardway.Linux.Machine;

/// <summary>What a node tells of the machine it runs on, read from /proc, /sys and /etc once at start.</summary>
public sealed record MachineInfo(
    string MachineId, string SystemUuid, string BootId, string KernelVersion, string OsImage, string Architecture,
    int Cpus, long MemoryBytes, long SwapBytes, long MaxPids)
{
    public static MachineInfo Read()
    {
        var memory = ReadMeminfo(File.ReadAllText("/proc/meminfo"));
        return new MachineInfo(
            MachineId: FirstLine("/etc/machine-id") ?? FirstLine("/var/lib/dbus/machine-id") ?? "",
            SystemUuid: FirstLine("/sys/class/dmi/id/product_uuid")?.ToLowerInvariant() ?? FirstLine("/etc/machine-id") ?? "",
            BootId: FirstLine("/proc/sys/kernel/random/boot_id") ?? "",
            KernelVersion: FirstLine("/proc/sys/kernel/osrelease") ?? "",
            OsImage: OsName(ReadOr("/etc/os-release") ?? ReadOr("/usr/lib/os-release") ?? ""),
            Architecture: RuntimeInformation.OSArchitecture switch { System.Runtime.InteropServices.Architecture.X64 => "amd64", var a => a.ToString().ToLowerInvariant() },
            Cpus: OnlineCpus(FirstLine("/sys/devices/system/cpu/online")) ?? Environment.ProcessorCount,
            MemoryBytes: memory.GetValueOrDefault("MemTotal"),
            SwapBytes: memory.GetValueOrDefault("SwapTotal"),
            MaxPids: long.TryParse(FirstLine("/proc/sys/kernel/pid_max"), CultureInfo.InvariantCulture, out var pids) ? pids : 32768);
    }

    /// <summary>Fields of /proc/meminfo in bytes.</summary>
    public static Dictionary<string, long> ReadMeminfo(string text)
    {
        var values = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
                continue;
            var words = line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 0 && long.TryParse(words[0], CultureInfo.InvariantCulture, out var value))
                values[line[..colon]] = words.Length > 1 && words[1] == "kB" ? value * 1024 : value;
        }
        return values;
    }

    /// <summary>Counts a kernel list of CPUs such as 0-3,8.</summary>
    internal static int? OnlineCpus(string? list)
    {
        if (string.IsNullOrEmpty(list))
            return null;
        var count = 0;
        foreach (var part in list.Split(','))
        {
            var ends = part.Split('-');
            if (!int.TryParse(ends[0], CultureInfo.InvariantCulture, out var low) || !int.TryParse(ends[^1], CultureInfo.InvariantCulture, out var high))
                return null;
            count += high - low + 1;
        }
        return count;
    }

    internal static string OsName(string osRelease)
    {
        foreach (var line in osRelease.Split('\n'))
        {
            if (line.StartsWith("PRETTY_NAME=", StringComparison.Ordinal))
                return line["PRETTY_NAME=".Length..].Trim().Trim('"');
        }
        return "Linux";
    }

    private static string? FirstLine(string path) => ReadOr(path)?.Split('\n')[0].Trim();

    private static string? ReadOr(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path) : null;
        }
        catch (IOException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }
}
