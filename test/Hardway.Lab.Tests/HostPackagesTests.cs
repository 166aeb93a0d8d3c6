using Hardway.Lab.Host;

namespace Hardway.Lab.Tests;

public sealed class HostPackagesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("hardway-packages-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string Policy => Path.Combine(_folder.FullName, "policy-rc.d");

    [Fact]
    public void What_is_missing_is_told_by_its_package_once()
    {
        Assert.Equal(["a-package"], HostPackages.Missing([("sh", "dash"), ("no-such-program", "a-package"), ("/no/such/file", "a-package")]));
    }

    [Fact]
    public async Task A_run_that_was_killed_in_between_leaves_a_policy_that_the_next_takes_away()
    {
        File.WriteAllText(Policy, "#!/bin/sh\n# Written by hardway while it installs packages: no service is started on this host.\nexit 101\n");
        File.WriteAllText(Policy + ".before-hardway", "the host's own");

        await new HostPackages(_ => { }, Policy).EnsureAsync([("sh", "dash")], TestContext.Current.CancellationToken);

        Assert.Equal("the host's own", File.ReadAllText(Policy));
        Assert.False(File.Exists(Policy + ".before-hardway"));
    }

    [Fact]
    public async Task The_hosts_own_policy_is_not_touched_when_nothing_is_missing()
    {
        File.WriteAllText(Policy, "the host's own");

        await new HostPackages(_ => { }, Policy).EnsureAsync([("sh", "dash")], TestContext.Current.CancellationToken);

        Assert.Equal("the host's own", File.ReadAllText(Policy));
    }
}
