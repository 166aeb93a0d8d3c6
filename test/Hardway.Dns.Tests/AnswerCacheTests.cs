using System.Net;
using Hardway.Dns.Forwarding;
using Hardway.Dns.Wire;

namespace Hardway.Dns.Tests;

public sealed class AnswerCacheTests
{
    private sealed class ManualTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(double seconds) => _ticks += TimeSpan.FromSeconds(seconds).Ticks;
    }

    private static readonly DnsName s_name = DnsName.Parse("example.org");
    private readonly ManualTime _time = new();

    private static CacheKey Key(int i = 0) => new($"example{i}.org.", DnsType.A, DnsClass.In, false, false);

    private static DnsMessage Positive(uint ttl) => new() { Answers = [DnsRecord.Address(s_name, ttl, IPAddress.Loopback)] };

    [Fact]
    public void An_answer_ages_and_ends_with_its_TTL()
    {
        var cache = new AnswerCache(_time);
        cache.Add(Key(), Positive(30));

        _time.Advance(10);
        Assert.Equal(20u, cache.Find(Key())!.Answers[0].Ttl);
        _time.Advance(20);
        Assert.Null(cache.Find(Key()));
    }

    [Fact]
    public void A_denial_lives_as_long_as_its_SOA_says()
    {
        var denial = new DnsMessage { Rcode = DnsRcode.NxDomain, Authority = [DnsRecord.Soa(s_name, 60, s_name, s_name, 1, 7)] };

        Assert.Equal(TimeSpan.FromSeconds(7), AnswerCache.Life(denial));
        Assert.Equal(TimeSpan.Zero, AnswerCache.Life(new DnsMessage { Rcode = DnsRcode.NxDomain }));
        Assert.Equal(TimeSpan.FromSeconds(5), AnswerCache.Life(new DnsMessage { Rcode = DnsRcode.ServFail }));
        Assert.Equal(AnswerCache.MaxPositive, AnswerCache.Life(Positive(1_000_000)));
    }

    [Fact]
    public void It_is_bounded_and_keeps_what_is_asked_for()
    {
        var cache = new AnswerCache(_time, capacity: 100);
        for (var i = 0; i < 1000; i++)
        {
            cache.Add(Key(i), Positive(300));
            Assert.NotNull(cache.Find(Key(0)));
        }

        Assert.InRange(cache.Count, 1, 101);
    }
}
