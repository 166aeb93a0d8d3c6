using System.Net;
using Hardway.Dns.Wire;

namespace Hardway.Dns.Tests;

public sealed class WireTests
{
    private static DnsMessage Query(string name, ushort type) => new()
    {
        Id = 0x1234,
        RecursionDesired = true,
        Questions = [new DnsQuestion(DnsName.Parse(name), type, DnsClass.In)],
    };

    [Fact]
    public void A_query_has_the_bytes_of_RFC_1035()
    {
        byte[] expected = [0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0, 1, (byte)'a', 2, (byte)'b', (byte)'c', 0, 0, 1, 0, 1];

        Assert.Equal(expected, Query("a.bc.", DnsType.A).Write());
    }

    [Fact]
    public void A_message_survives_writing_and_reading()
    {
        var name = DnsName.Parse("web.default.svc.cluster.local");
        var message = Query("web.default.svc.cluster.local", DnsType.Any).Reply(DnsRcode.NoError);
        message.Edns = new Edns(1232, 0, true);
        message.Answers.Add(DnsRecord.Address(name, 5, IPAddress.Parse("10.32.0.7")));
        message.Answers.Add(DnsRecord.Address(name, 5, IPAddress.Parse("fd00::7")));
        message.Answers.Add(DnsRecord.Srv(name.Prepend("_http", "_tcp"), 5, 0, 100, 80, name));
        message.Authority.Add(DnsRecord.Soa(DnsName.Parse("cluster.local"), 5, name, name, 7, 5));

        var read = DnsMessage.Read(message.Write());

        Assert.Equal(message.Id, read.Id);
        Assert.Equal(1232, read.Edns?.UdpSize);
        Assert.True(read.Edns?.DnssecOk);
        Assert.Equal(message.Answers.Select(r => (r.Name, r.Type, Convert.ToHexString(r.Data.Span))), read.Answers.Select(r => (r.Name, r.Type, Convert.ToHexString(r.Data.Span))));
        Assert.Equal(5u, read.Authority[0].SoaMinimum());
    }

    [Fact]
    public void Owner_names_are_compressed()
    {
        var message = Query("web.default.svc.cluster.local", DnsType.A).Reply(DnsRcode.NoError);
        message.Answers.Add(DnsRecord.Address(DnsName.Parse("web.default.svc.cluster.local"), 5, IPAddress.Parse("10.32.0.7")));

        Assert.Equal(12 + 31 + 4 + 2 + 10 + 4, message.Write().Length);
    }

    [Fact]
    public void Compressed_names_inside_data_are_expanded()
    {
        // question "a.b", answer CNAME to c.<pointer to b>
        byte[] bytes = [0, 1, 0x80, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, (byte)'a', 1, (byte)'b', 0, 0, 5, 0, 1, 0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 4, 1, (byte)'c', 0xc0, 14];

        Assert.Equal("c.b.", DnsMessage.Read(bytes).Answers[0].AsName().ToString());
    }

    [Theory]
    [InlineData("00010000000100000000000" + "0c00c00010001")] // pointer to itself
    [InlineData("000100000001000000000000c00e00010001")] // pointer forwards
    [InlineData("0001000000010000000000000161")] // ends inside the name
    [InlineData("000100000001000000000000800061")] // reserved label type
    [InlineData("00010000ffffffffffffffff")] // counts without records
    [InlineData("0001")]
    public void Hostile_messages_are_refused(string hex) =>
        Assert.Throws<DnsFormatException>(() => DnsMessage.Read(Convert.FromHexString(hex)));

    [Fact]
    public void Random_bytes_never_do_worse_than_a_format_error()
    {
        var random = new Random(7);
        var valid = Query("web.default.svc.cluster.local", DnsType.A).Write();
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = i % 2 == 0 ? new byte[random.Next(80)] : [.. valid];
            if (i % 2 == 0)
            {
                random.NextBytes(bytes);
            }
            else
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            try
            {
                DnsMessage.Read(bytes).Write();
            }
            catch (DnsFormatException)
            {
                continue;
            }
        }
    }

    [Fact]
    public void What_does_not_fit_is_cut_and_marked()
    {
        var message = Query("many.default.svc.cluster.local", DnsType.A).Reply(DnsRcode.NoError);
        message.Edns = new Edns(1232, 0, false);
        for (var i = 0; i < 100; i++)
        {
            message.Answers.Add(DnsRecord.Address(message.Questions[0].Name, 5, new IPAddress([10, 200, 0, (byte)i])));
        }

        var bytes = message.Write(512);
        var read = DnsMessage.Read(bytes);

        Assert.True(bytes.Length <= 512);
        Assert.True(read.Truncated);
        Assert.InRange(read.Answers.Count, 20, 99);
        Assert.NotNull(read.Edns);
    }

    [Fact]
    public void Names_are_equal_without_regard_to_case_and_a_dot_in_a_label_is_no_separator()
    {
        Assert.Equal(DnsName.Parse("WEB.Default"), DnsName.Parse("web.default."));
        Assert.NotEqual(new DnsName("a.b", "c"), new DnsName("a", "b", "c"));
        Assert.True(DnsName.Parse("x.CLUSTER.local").EndsWith(DnsName.Parse("cluster.local")));
        Assert.False(DnsName.Parse("xcluster.local").EndsWith(DnsName.Parse("cluster.local")));
        Assert.False(DnsName.TryParse(new string('a', 64), out _));
        Assert.False(DnsName.TryParse("a..b", out _));
    }
}
