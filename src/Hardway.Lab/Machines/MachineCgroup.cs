using System.Globalization;

namespace Hardway.Lab.Machines;

/// <summary>
/// A machine's own cgroup, /hardway/NAME, in every hierarchy the host has: each v1 controller, name=systemd, the unified one beside them, or only the
/// v2 one. nspawn's cgroup namespace is rooted there, so two kubelets never meet in one /kubepods.
/// </summary>
internal sealed class MachineCgroup(string name, string mount = MachineCgroup.DefaultMount)
{
    public const string DefaultMount = "/sys/fs/cgroup";
    public const string Parent = "hardway";

    /// <summary>Hierarchy roots: the mount itself with cgroup v2 alone, otherwise its folders; symbolic links (cpu → cpu,cpuacct) are the same hierarchy again.</summary>
    public static IReadOnlyList<string> Hierarchies(string mount = DefaultMount)
    {
        if (File.Exists(Path.Combine(mount, "cgroup.controllers"))) return [mount];
        return [.. new DirectoryInfo(mount).EnumerateDirectories().Where(d => d.LinkTarget is null && File.Exists(Path.Combine(d.FullName, "cgroup.procs"))).Select(d => d.FullName).Order(StringComparer.Ordinal)];
    }

    /// <summary>The lab's cgroups that exist, deepest first: what a removal has to take.</summary>
    public static IEnumerable<string> Existing(string? machine = null, string mount = DefaultMount) =>
        Hierarchies(mount).Select(h => machine is null ? Path.Combine(h, Parent) : Path.Combine(h, Parent, machine)).Where(Directory.Exists).SelectMany(DeepestFirst);

    /// <summary>Makes the cgroups and returns the cgroup.procs files that the machine's first process has to enter.</summary>
    public IReadOnlyList<string> Create()
    {
        var doors = new List<string>();
        foreach (var hierarchy in Hierarchies(mount))
        {
            var parent = Path.Combine(hierarchy, Parent);
            foreach (var folder in new[] { parent, Path.Combine(parent, name) })
            {
                Directory.CreateDirectory(folder);
                CopyFromParent(folder, "cpuset.cpus");
                CopyFromParent(folder, "cpuset.mems");
            }
            if (hierarchy == mount)
            {
                Delegate(hierarchy);
                Delegate(parent);
            }
            doors.Add(Path.Combine(parent, name, "cgroup.procs"));
        }
        return doors;
    }

    /// <summary>Every process of the machine, its containers' included.</summary>
    public IReadOnlyCollection<int> Processes()
    {
        var found = new HashSet<int>();
        foreach (var folder in Existing(name, mount))
            foreach (var line in ReadLines(Path.Combine(folder, "cgroup.procs")))
                if (int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && pid > 0) found.Add(pid);
        return found;
    }

    /// <summary>Takes the emptied cgroups away; false while the kernel still holds one (its last process is not buried yet).</summary>
    public static bool TryRemove(string? machine, string mount = DefaultMount)
    {
        var all = true;
        foreach (var folder in Existing(machine, mount))
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (DirectoryNotFoundException)
            {
            }
            catch (IOException)
            {
                all = false;
            }
        }
        return all;
    }

    /// <summary>A new v1 cpuset is empty and takes no process until it has processors and memory nodes.</summary>
    private static void CopyFromParent(string folder, string file)
    {
        var own = Path.Combine(folder, file);
        if (!File.Exists(own) || File.ReadAllText(own).Trim().Length > 0) return;
        File.WriteAllText(own, File.ReadAllText(Path.Combine(Path.GetDirectoryName(folder)!, file)));
    }

    /// <summary>cgroup v2: lets the children have every controller this cgroup has. One write each: a controller that is busy elsewhere does not keep back the others.</summary>
    private static void Delegate(string folder)
    {
        var have = File.ReadAllText(Path.Combine(folder, "cgroup.subtree_control")).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        foreach (var controller in File.ReadAllText(Path.Combine(folder, "cgroup.controllers")).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Except(have))
        {
            try
            {
                File.WriteAllText(Path.Combine(folder, "cgroup.subtree_control"), "+" + controller);
            }
            catch (IOException) when (controller is not ("cpu" or "memory" or "pids"))
            {
            }
        }
    }

    private static IEnumerable<string> DeepestFirst(string folder)
    {
        string[] children;
        try
        {
            children = Directory.GetDirectories(folder);
        }
        catch (DirectoryNotFoundException)
        {
            yield break;
        }
        foreach (var child in children)
            foreach (var inner in DeepestFirst(child)) yield return inner;
        yield return folder;
    }

    private static string[] ReadLines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (IOException)
        {
            return []; // it went away while we looked
        }
    }
}
