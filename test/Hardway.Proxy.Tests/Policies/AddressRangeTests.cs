using System.Net;
using Hardway.Proxy.Policies;

namespace Hardway.Proxy.Tests.Policies;

public sealed class AddressRangeTests
{
    private static AddressRange Of(string network) => AddressRange.Of(IPNetwork.Parse(network));

    [Theory]
    [InlineData("10.0.0.0/8", "", "10.0.0.0-10.255.255.255")]
    [InlineData("10.0.0.0/30", "10.0.0.1/32", "10.0.0.0 10.0.0.2-10.0.0.3")]
    [InlineData("10.0.0.0/30", "10.0.0.0/31 10.0.0.3/32", "10.0.0.2")]
    [InlineData("10.0.0.0/30", "10.0.0.0/30", "")]
    [InlineData("10.0.0.0/30", "11.0.0.0/8", "10.0.0.0-10.0.0.3")]
    [InlineData("0.0.0.0/0", "255.255.255.255/32", "0.0.0.0-255.255.255.254")]
    [InlineData("fd00::/126", "fd00::1/128", "fd00:: fd00::2-fd00::3")]
    [InlineData("::/0", "", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
    public void A_block_without_its_exceptions(string block, string except, string expected)
    {
        var left = AddressRange.Subtract(Of(block), except.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Of));

        Assert.Equal(expected, string.Join(' ', left));
    }

    [Fact]
    public void Cutting_and_joining_agree_with_counting_every_address()
    {
        var random = new Random(11);
        AddressRange Any()
        {
            var (a, b) = (random.Next(40), random.Next(40));
            return new(false, (UInt128)Math.Min(a, b), (UInt128)Math.Max(a, b));
        }

        static bool Has(IEnumerable<AddressRange> ranges, int address) => ranges.Any(r => r.First <= (UInt128)address && (UInt128)address <= r.Last);
        for (var i = 0; i < 2000; i++)
        {
            var from = Any();
            var others = Enumerable.Range(0, random.Next(5)).Select(_ => Any()).ToList();
            var left = AddressRange.Subtract(from, others);
            var joined = AddressRange.Join(others);
            for (var address = 0; address < 40; address++)
            {
                Assert.Equal(Has([from], address) && !Has(others, address), Has(left, address));
                Assert.Equal(Has(others, address), Has(joined, address));
            }

            Assert.All(joined.Zip(joined.Skip(1)), p => Assert.True(p.First.Last + 1 < p.Second.First));
        }
    }
}
