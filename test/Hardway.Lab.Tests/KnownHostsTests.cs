using System.Net;
using Hardway.Lab.Machines;

namespace Hardway.Lab.Tests;

public sealed class KnownHostsTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hardway-known-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task A_database_that_leaves_a_machine_out_does_not_forget_its_host_key()
    {
        var paths = new LabPaths(_root);
        Directory.CreateDirectory(Path.GetDirectoryName(paths.KnownHosts)!);
        Directory.CreateDirectory(paths.MachineFolder("node-0"));
        Directory.CreateDirectory(paths.MachineFolder("node-1"));
        await File.WriteAllLinesAsync(paths.KnownHosts, ["10.240.0.80,node-0,node-0.k old zero", "10.240.0.81,node-1,node-1.k ssh-ed25519 ONE", "10.240.0.82,node-2,node-2.k ssh-ed25519 TWO"], TestContext.Current.CancellationToken);
        var upper = Path.Combine(_root, "upper");
        Directory.CreateDirectory(Path.Combine(upper, "etc/ssh"));
        await File.WriteAllTextAsync(Path.Combine(upper, "etc/ssh/ssh_host_ed25519_key.pub"), "ssh-ed25519 ZERO", TestContext.Current.CancellationToken);

        await new MachineIdentity(paths).WriteKnownHostsAsync([(new LabMachine("node-0", IPAddress.Parse("10.240.0.80")), upper)], TestContext.Current.CancellationToken);

        // node-2 has no folder: it was removed.
        Assert.Equal(["10.240.0.80,node-0,node-0.kubernetes.local ssh-ed25519 ZERO", "10.240.0.81,node-1,node-1.k ssh-ed25519 ONE"], await File.ReadAllLinesAsync(paths.KnownHosts, TestContext.Current.CancellationToken));
    }
}
