using Hardway.Hosting;

namespace Hardway.Lab.Tests;

public sealed class LabLockTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("hardway-lock-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Who_comes_second_is_told_to_wait_until_the_first_has_let_go()
    {
        var paths = new LabPaths(_folder.FullName);
        using (LabLock.TakeCluster(paths))
        {
            using var lab = LabLock.Take(paths); // another lock: `up` holds both
            Assert.Contains("another hardway is changing the cluster", Assert.Throws<ComponentException>(() => LabLock.TakeCluster(paths)).Message, StringComparison.Ordinal);
        }

        LabLock.TakeCluster(paths).Dispose();
    }
}
