using Hardway.Lab.Host;

namespace Hardway.Lab.Tests;

public class AptSourcesTests
{
    private const string Stanzas = """
        Types: deb
        # where it was frozen
        URIs: http://mirror.test/debian
        Suites: bookworm bookworm-updates
        Components: main
        Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

        Types: deb
        URIs: http://mirror.test/debian-security
        Suites: bookworm-security
        Components: main

        Types: deb-src
        URIs: http://mirror.test/debian
        Suites: bookworm
        Components: main

        Types: deb
        URIs: http://others.test/docker
        Suites: bookworm
        Components: stable

        Enabled: no
        Types: deb
        URIs: http://mirror.test/old
        Suites: bookworm
        Components: main
        """;

    [Fact]
    public void Stanzas_of_the_release_are_taken_and_those_of_others_are_not()
    {
        var found = AptSources.Select([("/etc/apt/sources.list.d/debian.sources", Stanzas)], "bookworm");

        Assert.Equal(2, found.Count);
        Assert.Contains("Suites: bookworm bookworm-updates", found[0], StringComparison.Ordinal);
        Assert.DoesNotContain("#", found[0], StringComparison.Ordinal);
        Assert.Contains("bookworm-security", found[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("deb http://mirror.test/debian bookworm main contrib", true)]
    [InlineData("deb [signed-by=/a.gpg arch=amd64] http://mirror.test/debian-security bookworm-security main", true)]
    [InlineData("deb http://others.test/apt cloud-sdk-bookworm main", false)]
    [InlineData("deb http://others.test/apt bookworm-pgdg main", false)]
    [InlineData("deb http://mirror.test/debian trixie main", false)]
    [InlineData("deb http://others.test/docker bookworm stable", false)]
    [InlineData("# deb http://mirror.test/debian bookworm main", false)]
    [InlineData("deb", false)]
    public void A_line_counts_by_its_suite_and_component(string line, bool taken)
    {
        Assert.Equal(taken, AptSources.Select([("/etc/apt/sources.list", line + "\n")], "bookworm").Count == 1);
    }

    [Fact]
    public void A_host_of_another_release_has_none()
    {
        Assert.Empty(AptSources.Select([("/etc/apt/sources.list", "deb http://mirror.test/ubuntu noble main universe\n")], "bookworm"));
    }

    [Fact]
    public void Of_the_configuration_only_how_to_fetch_is_taken()
    {
        var options = AptSources.FetchOptions("APT \"\";\nAcquire::Check-Valid-Until \"false\";\nAcquire::http::Proxy \"http://proxy.test:3128\";\nAcquire::http \"\";\nDPkg::Post-Invoke \"\";\nDPkg::Post-Invoke:: \"rm -f x\";\n");

        Assert.Equal(["Acquire::Check-Valid-Until \"false\";", "Acquire::http::Proxy \"http://proxy.test:3128\";"], options);
    }
}
