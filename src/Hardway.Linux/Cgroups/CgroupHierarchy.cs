using System.Globalization;
using Hardway.Linux.Mounts;

namespace Hardway.Linux.Cgroups;

/// <summary>
/// The cgroup tree as mounted on this machine: one unified tree (v2), or one a controller (v1, also when a v2 tree is mounted
/// beside without controllers). Paths are relative to the root that this process's cgroup namespace shows.
/// </summary>
public sealed class CgroupHierarchy
{
    private readonly Dictionary<string, string> _controllers;

    private CgroupHierarchy(bool unified, Dictionary<string, string> controllers, string? systemdMount)
    {
        IsUnified = unified;
        _controllers = controllers;
        SystemdMount = systemdMount;
    }

    public bool IsUnified { get; }

    /// <summary>v1: where name=systemd is mounted.</summary>
    public string? SystemdMount { get; }

    public IReadOnlyDictionary<string, string> Controllers => _controllers;

    public static CgroupHierarchy Detect() => From(MountTable.Read());

    public static CgroupHierarchy From(IReadOnlyList<MountEntry> mounts)
    {
        var controllers = new Dictionary<string, string>(StringComparer.Ordinal);
        string? systemd = null, unified = null;
        foreach (var mount in mounts)
        {
            if (mount.FileSystem == "cgroup2")
                unified ??= mount.MountPoint;
            if (mount.FileSystem != "cgroup")
                continue;
            foreach (var option in mount.SuperOptions.Split(','))
            {
                if (option == "name=systemd")
                    systemd = mount.MountPoint;
                else if (KnownControllers.Contains(option))
                    controllers.TryAdd(option, mount.MountPoint);
            }
        }
        return controllers.Count == 0 && unified != null
            ? new CgroupHierarchy(true, new(StringComparer.Ordinal) { [""] = unified }, null)
            : new CgroupHierarchy(false, controllers, systemd);
    }

    private static readonly HashSet<string> KnownControllers =
        new(StringComparer.Ordinal) { "cpu", "cpuacct", "cpuset", "memory", "pids", "devices", "freezer", "blkio", "hugetlb", "net_cls", "net_prio", "perf_event" };

    /// <summary>Directory of a cgroup for a controller, or null when that controller is not mounted.</summary>
    public string? Directory(string controller, string path) =>
        _controllers.TryGetValue(IsUnified ? "" : controller, out var mount) ? mount + path : null;

    public bool Exists(string path) => Directory(IsUnified ? "" : "memory", path) is { } dir && System.IO.Directory.Exists(dir);

    /// <summary>Creates a cgroup in every controller (v1: cpuset's lists are inherited from the parent, or nothing could run in it).</summary>
    public void Create(string path)
    {
        foreach (var (controller, mount) in _controllers)
        {
            var current = mount;
            foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                var parent = current;
                current += "/" + part;
                if (System.IO.Directory.Exists(current))
                    continue;
                if (IsUnified)
                    EnableControllers(parent);
                System.IO.Directory.CreateDirectory(current);
                if (controller == "cpuset")
                    InheritCpuset(parent, current);
            }
        }
    }

    public void Apply(string path, CgroupResources resources)
    {
        if (IsUnified)
        {
            if (resources.CpuShares is { } shares)
                Write("", path, "cpu.weight", Number(CgroupMath.Weight(shares)));
            if (resources.CpuQuota is { } quota)
                Write("", path, "cpu.max", CgroupMath.CpuMax(quota, resources.CpuPeriod));
            if (resources.MemoryLimit is { } memory)
                Write("", path, "memory.max", memory > 0 ? Number(memory) : "max");
            if (resources.PidsLimit is { } pids)
                Write("", path, "pids.max", pids > 0 ? Number(pids) : "max");
            return;
        }
        if (resources.CpuShares is { } v1Shares)
            Write("cpu", path, "cpu.shares", Number(v1Shares));
        if (resources.CpuQuota is { } v1Quota)
        {
            if (v1Quota > 0)
                Write("cpu", path, "cpu.cfs_period_us", Number(resources.CpuPeriod));
            Write("cpu", path, "cpu.cfs_quota_us", Number(v1Quota > 0 ? v1Quota : -1));
        }
        if (resources.MemoryLimit is { } v1Memory)
            Write("memory", path, "memory.limit_in_bytes", Number(v1Memory > 0 ? v1Memory : -1));
        if (resources.PidsLimit is { } v1Pids)
            Write("pids", path, "pids.max", v1Pids > 0 ? Number(v1Pids) : "max");
    }

    /// <summary>Removes a cgroup and the empty ones below it; false when a process still lives in one.</summary>
    public bool Remove(string path)
    {
        var done = true;
        IEnumerable<string> mounts = SystemdMount is { } systemd ? _controllers.Values.Append(systemd) : _controllers.Values;
        foreach (var mount in mounts.Distinct(StringComparer.Ordinal))
            done &= RemoveTree(mount + path);
        return done;
    }

    public string? Read(string controller, string path, string file) =>
        Directory(controller, path) is { } dir && File.Exists(dir + "/" + file) ? File.ReadAllText(dir + "/" + file).TrimEnd() : null;

    public long? ReadNumber(string controller, string path, string file) =>
        long.TryParse(Read(controller, path, file), CultureInfo.InvariantCulture, out var value) ? value : null;

    private void Write(string controller, string path, string file, string value)
    {
        if (Directory(controller, path) is not { } dir || !System.IO.Directory.Exists(dir))
            return;
        var target = dir + "/" + file;
        if (File.Exists(target) && File.ReadAllText(target).TrimEnd() != value)
            File.WriteAllText(target, value);
    }

    private static void InheritCpuset(string parent, string child)
    {
        foreach (var file in new[] { "cpuset.cpus", "cpuset.mems" })
        {
            if (File.Exists($"{child}/{file}") && string.IsNullOrWhiteSpace(File.ReadAllText($"{child}/{file}")))
                File.WriteAllText($"{child}/{file}", File.ReadAllText($"{parent}/{file}"));
        }
    }

    private static void EnableControllers(string directory)
    {
        var available = File.ReadAllText(directory + "/cgroup.controllers").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        var enabled = File.ReadAllText(directory + "/cgroup.subtree_control").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        foreach (var controller in available.Except(enabled))
            File.WriteAllText(directory + "/cgroup.subtree_control", "+" + controller);
    }

    private static bool RemoveTree(string directory)
    {
        if (!System.IO.Directory.Exists(directory))
            return true;
        var done = true;
        foreach (var child in System.IO.Directory.GetDirectories(directory))
            done &= RemoveTree(child);
        try
        {
            System.IO.Directory.Delete(directory);
            return done;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
