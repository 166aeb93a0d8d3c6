using System.Xml.Linq;
using Hardway.Lab.CommandLine;
using Hardway.Provisioning.Verification;

namespace Hardway.Lab.Tests;

public class JUnitTests
{
    [Fact]
    public void A_junit_file_has_a_suite_a_module_and_says_what_was_expected_and_seen()
    {
        var path = Path.GetTempFileName();
        VerifyCommand.Write(path,
        [
            new Finding(Module.Networking, "nodes", "2 Ready", true, "2 Ready", TimeSpan.FromSeconds(1)),
            new Finding(Module.HighAvailability, "etcd", "3 members", false, "2 members \u0001<", TimeSpan.FromSeconds(0.25)),
        ]);

        var suites = XDocument.Load(path).Root!.Elements("testsuite").ToList();
        File.Delete(path);

        Assert.Equal(["high availability", "runtime and networking"], suites.Select(s => (string)s.Attribute("name")!));
        Assert.Equal(["1", "0"], suites.Select(s => (string)s.Attribute("failures")!));
        Assert.Equal("2 members <", (string)suites[0].Element("testcase")!.Element("failure")!.Attribute("message")!);
        Assert.Equal("0.250", (string)suites[0].Element("testcase")!.Attribute("time")!);
    }
}
