using System.Globalization;
using System.Text.RegularExpressions;

namespace Hardway.Hosting.Tests;

public sealed class StartupMemoryTests
{
    private const string Smaps = """
        7f0000000000-7f0000003000 r-xp 00001000 fe:01 42                         /usr/bin/program
        Size:                 12 kB
        Anonymous:             0 kB
        7f0000003000-7f0000004000 r-xp 00004000 fe:01 42                         /usr/bin/program
        Anonymous:             4 kB
        7f0000004000-7f0000005000 rw-p 00005000 fe:01 42                         /usr/bin/program
        Anonymous:             0 kB
        7f0000005000-7f0000007000 r--s 00000000 fe:01 43                         /usr/lib/some library.dll
        Anonymous:             0 kB
        7f0000007000-7f0000008000 r-xs 00000000 00:01 7                          /memfd:doublemapper (deleted)
        Anonymous:             0 kB
        7f0000008000-7f0000009000 r-xp 00000000 00:00 0
        Anonymous:             0 kB
        """;

    [Fact]
    public void Only_pages_that_are_as_in_their_file_are_given_back() =>
        Assert.Equal([(0x7f0000000000L, 0x3000u), (0x7f0000005000L, 0x2000u)], StartupMemory.Unchanged(Smaps.Split('\n')).Select(m => ((long)m.Start, (uint)m.Length)));

    [Fact]
    public void A_process_goes_on_with_fewer_pages_of_files()
    {
        var before = FilePages();
        StartupMemory.GiveBack();
        var after = FilePages();
        Assert.True(after < before, $"{before} kB before, {after} kB after");
        Assert.Equal("1.5", double.Parse("1.5", CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture));
    }

    private static long FilePages() => long.Parse(Regex.Match(File.ReadAllText("/proc/self/status"), @"RssFile:\s+(\d+)").Groups[1].Value, CultureInfo.InvariantCulture);
}
