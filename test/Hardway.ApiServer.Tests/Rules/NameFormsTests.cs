using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Rules;

namespace Hardway.ApiServer.Tests.Rules;

public sealed class NameFormsTests
{
    [Theory]
    [InlineData("a", 0, 0)]
    [InlineData("a.b-c.1", 1, 0)]
    [InlineData("A", 1, 1)]
    [InlineData("", 1, 1)]
    [InlineData("a..b", 1, 1)]
    [InlineData("-a", 1, 1)]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-", 2, 1)]
    public void Labels_and_subdomains_tell_each_fault(string text, int label, int subdomain)
    {
        Assert.Equal((label, subdomain), (NameForms.DnsLabel(text).Count(), NameForms.DnsSubdomain(text).Count()));
        Assert.Equal((label == 0, subdomain == 0), (NameForms.IsDnsLabel(text), NameForms.IsDnsSubdomain(text)));
    }

    [Theory]
    [InlineData("example.com/My_name", 0)]
    [InlineData("a b", 1)]
    [InlineData("/a", 1)]
    [InlineData("a/", 2)]
    [InlineData("A_b/c", 1)]
    [InlineData("a/b/c", 1)]
    public void Qualified_names_tell_each_fault(string text, int faults)
    {
        Assert.Equal(faults, NameForms.QualifiedName(text).Count());
        Assert.Equal(faults == 0, NameForms.IsQualifiedName(text));
    }

    [Theory]
    [InlineData("http", 0)]
    [InlineData("A B", 2)]
    [InlineData("a--b", 1)]
    [InlineData("123", 1)]
    [InlineData("-very-long-port-name-", 2)]
    public void Port_names_tell_each_fault(string text, int faults) => Assert.Equal(faults, NameForms.PortName(text).Count());

    [Theory]
    [InlineData("10.9.8.7", true)]
    [InlineData("2001:db8::ffff", true)]
    [InlineData("10.9.08.7", false)]
    [InlineData("10.1", false)]
    [InlineData("0x0a000001", false)]
    [InlineData("fe80::1%eth0", false)]
    [InlineData("[::1]", false)]
    [InlineData("", false)]
    public void Addresses_are_plain(string text, bool isAddress) => Assert.Equal(isAddress, IpForms.TryParse(text, out _));

    [Theory]
    [InlineData("10.0.0.0/8", true)]
    [InlineData("10.1.2.3/8", true)]
    [InlineData("fd00::/64", true)]
    [InlineData("10.0.0.0/33", false)]
    [InlineData("10.0.0.0/-1", false)]
    [InlineData("10.0.0.0", false)]
    public void Ranges_may_have_host_bits(string text, bool isRange) => Assert.Equal(isRange, IpForms.TryParseRange(text, out _));
}
