using Hardway.Dns.Wire;

namespace Hardway.Dns.Forwarding;

/// <summary>What makes two forwarded questions the same: flags count as well, since they change the answer.</summary>
internal readonly record struct CacheKey(string Name, ushort Type, ushort Class, bool DnssecOk, bool CheckingDisabled);

/// <summary>
/// Answers of other servers, kept for their TTL (RFC 1035; denials by the SOA's minimum, RFC 2308; failures 5 s).
/// Bounded by two generations: when the young one is full it becomes the old one, and what is then still asked for moves back.
/// Any thread.
/// </summary>
internal sealed class AnswerCache(TimeProvider time, int capacity = 10_000)
{
    public static readonly TimeSpan MaxPositive = TimeSpan.FromHours(1);
    public static readonly TimeSpan MaxDenial = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_failure = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private Dictionary<CacheKey, Entry> _young = [];
    private Dictionary<CacheKey, Entry> _old = [];

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _young.Count + _old.Count;
            }
        }
    }

    /// <summary>The answer with its TTLs reduced by its age; null when there is none or it has expired. The caller sets ID and question.</summary>
    public DnsMessage? Find(CacheKey key)
    {
        var now = time.GetTimestamp();
        Entry? entry;
        lock (_lock)
        {
            if (!_young.TryGetValue(key, out entry))
            {
                if (!_old.Remove(key, out entry))
                {
                    return null;
                }

                Insert(key, entry);
            }
        }

        var age = time.GetElapsedTime(entry.Stored, now);
        return age >= entry.Life ? null : Aged(entry.Answer, (uint)age.TotalSeconds);
    }

    public void Add(CacheKey key, DnsMessage answer)
    {
        var life = Life(answer);
        if (life <= TimeSpan.Zero || answer.Truncated)
        {
            return;
        }

        lock (_lock)
        {
            Insert(key, new Entry(answer, time.GetTimestamp(), life));
        }
    }

    internal static TimeSpan Life(DnsMessage answer)
    {
        if (answer.Rcode is not (DnsRcode.NoError or DnsRcode.NxDomain))
        {
            return answer.Rcode == DnsRcode.ServFail ? s_failure : TimeSpan.Zero;
        }

        if (answer.Rcode == DnsRcode.NxDomain || answer.Answers.Count == 0)
        {
            var soa = answer.Authority.Find(r => r.Type == DnsType.Soa);
            return soa is null ? TimeSpan.Zero : Min(TimeSpan.FromSeconds(Math.Min(soa.Ttl, soa.SoaMinimum())), MaxDenial);
        }

        return Min(TimeSpan.FromSeconds(answer.Answers.Min(r => r.Ttl)), MaxPositive);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private void Insert(CacheKey key, Entry entry)
    {
        if (_young.Count >= capacity / 2)
        {
            _old = _young;
            _young = [];
        }

        _young[key] = entry;
    }

    private static DnsMessage Aged(DnsMessage answer, uint seconds) => new()
    {
        IsResponse = true,
        RecursionAvailable = true,
        AuthenticData = answer.AuthenticData,
        Rcode = answer.Rcode,
        Answers = Aged(answer.Answers, seconds),
        Authority = Aged(answer.Authority, seconds),
        Additional = Aged(answer.Additional, seconds),
    };

    private static List<DnsRecord> Aged(List<DnsRecord> records, uint seconds) =>
        records.ConvertAll(r => r with { Ttl = r.Ttl > seconds ? r.Ttl - seconds : 0 });

    private sealed record Entry(DnsMessage Answer, long Stored, TimeSpan Life);
}
