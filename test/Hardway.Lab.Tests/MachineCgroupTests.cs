using Hardway.Lab.Machines;

namespace Hardway.Lab.Tests;

/// <summary>On plain folders that look like the two kinds of hosts; the real thing is the lab itself.</summary>
public sealed class MachineCgroupTests : IDisposable
{
    private readonly DirectoryInfo _mount = Directory.CreateTempSubdirectory("hardway-cgroup-");

    public void Dispose() => _mount.Delete(recursive: true);

    private void Hierarchy(string name, params (string File, string Text)[] files)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_mount.FullName, name));
        foreach (var (file, text) in files.Append(("cgroup.procs", ""))) File.WriteAllText(Path.Combine(folder.FullName, file), text);
    }

    [Fact]
    public void With_version_1_a_machine_enters_every_controller_and_the_named_ones_once()
    {
        Hierarchy("memory");
        Hierarchy("systemd");
        Hierarchy("unified", ("cgroup.controllers", "hugetlb\n"));
        Hierarchy("cpu,cpuacct");
        Directory.CreateSymbolicLink(Path.Combine(_mount.FullName, "cpu"), "cpu,cpuacct");

        var doors = new MachineCgroup("node-0", _mount.FullName).Create();

        Assert.Equal(["cpu,cpuacct", "memory", "systemd", "unified"], doors.Select(d => Path.GetRelativePath(_mount.FullName, d)).Select(d => d.Replace("/hardway/node-0/cgroup.procs", "", StringComparison.Ordinal)));
    }

    [Fact]
    public void With_version_2_there_is_one()
    {
        File.WriteAllText(Path.Combine(_mount.FullName, "cgroup.controllers"), "cpu memory pids\n");
        File.WriteAllText(Path.Combine(_mount.FullName, "cgroup.subtree_control"), "cpu memory pids\n");

        Assert.Equal([_mount.FullName], MachineCgroup.Hierarchies(_mount.FullName));
    }

    [Fact]
    public void Processes_are_those_of_all_hierarchies_and_their_children()
    {
        Hierarchy("memory/hardway/node-0", ("cgroup.procs", "7\n8\n"));
        Hierarchy("memory");
        Hierarchy("systemd/hardway/node-0/payload/init.scope");
        File.WriteAllText(Path.Combine(_mount.FullName, "systemd/hardway/node-0/payload/init.scope/cgroup.procs"), "8\n9\n0\n");
        Hierarchy("systemd");
        File.WriteAllText(Path.Combine(_mount.FullName, "memory/hardway/node-0/cgroup.procs"), "7\n8\n");

        Assert.Equal([7, 8, 9], new MachineCgroup("node-0", _mount.FullName).Processes().Order());
    }

    [Fact]
    public void Removal_goes_from_the_leaves_up()
    {
        foreach (var name in new[] { "memory", "systemd" }) Hierarchy(name);
        foreach (var name in new[] { "memory/hardway/node-0/kubepods/pod1", "systemd/hardway/node-0" }) Directory.CreateDirectory(Path.Combine(_mount.FullName, name));

        Assert.True(MachineCgroup.TryRemove("node-0", _mount.FullName));

        Assert.False(Directory.Exists(Path.Combine(_mount.FullName, "memory/hardway/node-0")));
        Assert.True(Directory.Exists(Path.Combine(_mount.FullName, "memory/hardway")));
    }
}
