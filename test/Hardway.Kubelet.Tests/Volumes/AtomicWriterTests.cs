using System.Text;
using Hardway.Kubelet.Volumes;

namespace Hardway.Kubelet.Tests.Volumes;

public sealed class AtomicWriterTests : IDisposable
{
    private readonly string _volume = Directory.CreateTempSubdirectory("atomic-writer-").FullName;

    public void Dispose() => Directory.Delete(_volume, true);

    private static VolumeFile Text(string path, string content) => new(path, Encoding.UTF8.GetBytes(content), UnixFileMode.UserRead | UnixFileMode.GroupRead);

    private bool Write(params VolumeFile[] files) => AtomicWriter.Write(_volume, files, TimeProvider.System);

    private string Read(string path) => File.ReadAllText(Path.Combine(_volume, path));

    [Fact]
    public void Files_are_seen_through_links_and_replaced_at_once()
    {
        Assert.True(Write(Text("a", "1"), Text("dir/b", "2")));
        Assert.Equal("1", Read("a"));
        Assert.Equal("2", Read("dir/b"));
        Assert.Equal("..data/a", new FileInfo(Path.Combine(_volume, "a")).LinkTarget);
        Assert.True(Write(Text("a", "3")));
        Assert.Equal("3", Read("a"));
        Assert.False(Path.Exists(Path.Combine(_volume, "dir")));
        Assert.Single(Directory.GetDirectories(_volume, "..2*"));
    }

    [Fact]
    public void The_same_files_change_nothing()
    {
        Write(Text("a", "1"));
        var before = new FileInfo(Path.Combine(_volume, "..data")).LinkTarget;
        Assert.False(Write(Text("a", "1")));
        Assert.Equal(before, new FileInfo(Path.Combine(_volume, "..data")).LinkTarget);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../b")]
    [InlineData("..data/x")]
    [InlineData("")]
    public void A_path_that_leaves_the_volume_is_refused(string path) => Assert.Throws<InvalidDataException>(() => Write(Text(path, "x")));

    [Fact]
    public void Modes_are_kept()
    {
        Write(Text("a", "1"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead, File.GetUnixFileMode(Path.Combine(_volume, "..data", "a")));
    }
}
