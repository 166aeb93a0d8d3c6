using Hardway.Linux.Mounts;

namespace Hardway.Linux.Tests.Mounts;

public sealed class MountTableTests
{
    [Fact]
    public void A_line_with_optional_fields_and_escapes_is_read()
    {
        var entry = Assert.Single(MountTable.Parse("36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n"));
        Assert.Equal(new MountEntry("/mnt1", "/mnt 2", "ext3", "/dev/root", "rw,noatime", "rw,errors=continue"), entry);
    }

    [Fact]
    public void A_line_without_the_separator_is_ignored() => Assert.Empty(MountTable.Parse("36 35 98:0 / /x rw\n"));

    [Fact]
    public void The_root_of_this_machine_is_a_mount_point() => Assert.True(MountTable.IsMountPoint("/"));
}
