using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Hardway.Dns.Wire;

namespace Hardway.Dns.Forwarding;

/// <summary>
/// Asks the configured servers in turn, starting with the last one that answered, 2 s each; equal questions in flight are asked once.
/// A server through which our own probe comes back to us is dropped: it would be a loop.
/// Any thread. Never throws for a server's failure: the answer is then SERVFAIL.
/// </summary>
internal sealed class Forwarder(IReadOnlyList<IPEndPoint> servers, AnswerCache cache, DnsMetrics metrics)
{
    private const string ProbeSuffix = "hardway-loop-probe";
    private static readonly TimeSpan s_attempt = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<CacheKey, Lazy<Task<DnsMessage>>> _inFlight = new();
    private readonly HashSet<string> _probesSeen = new(StringComparer.Ordinal);
    private readonly Lock _probes = new();
    private volatile IReadOnlyList<IPEndPoint> _servers = servers;
    private volatile int _preferred;

    public IReadOnlyList<IPEndPoint> Servers => _servers;

    /// <summary>An answer to this question, from the cache or a server. The message is the caller's own to change.</summary>
    public async Task<DnsMessage> ResolveAsync(DnsQuestion question, bool dnssecOk, bool checkingDisabled, CancellationToken cancel)
    {
        var key = new CacheKey(question.Name.Key, question.Type, question.Class, dnssecOk, checkingDisabled);
        if (cache.Find(key) is { } cached)
        {
            metrics.CacheHits.Inc();
            return cached;
        }

        metrics.CacheMisses.Inc();
        var flight = _inFlight.GetOrAdd(key, k => new Lazy<Task<DnsMessage>>(() => AskAllAsync(k, question)));
        try
        {
            var answer = await flight.Value.WaitAsync(cancel).ConfigureAwait(false);
            return new DnsMessage
            {
                Rcode = answer.Rcode,
                AuthenticData = answer.AuthenticData,
                Answers = [.. answer.Answers],
                Authority = [.. answer.Authority],
                Additional = [.. answer.Additional],
            };
        }
        finally
        {
            _inFlight.TryRemove(new KeyValuePair<CacheKey, Lazy<Task<DnsMessage>>>(key, flight));
        }
    }

    /// <summary>Called for each query received: true when it is a probe of ours that came back.</summary>
    public bool SeesOwnProbe(DnsName name)
    {
        if (name.Count != 2 || DnsName.Fold(name.Labels[1]) != ProbeSuffix)
        {
            return false;
        }

        lock (_probes)
        {
            return _probesSeen.Count < 100 && _probesSeen.Add(name.Key);
        }
    }

    /// <summary>Other servers from now on (resolv.conf changed).</summary>
    public void Replace(IReadOnlyList<IPEndPoint> servers) => _servers = servers;

    /// <summary>Sends a random name through every server and drops those that hand it back to us. Returns those that were dropped.</summary>
    public async Task<List<IPEndPoint>> DropLoopsAsync(CancellationToken cancel)
    {
        var kept = new List<IPEndPoint>();
        var dropped = new List<IPEndPoint>();
        foreach (var server in _servers)
        {
            var name = new DnsName(Guid.NewGuid().ToString("N"), ProbeSuffix);
            await TryAskAsync(server, new DnsQuestion(name, DnsType.Hinfo, DnsClass.In), false, false, cancel).ConfigureAwait(false);
            lock (_probes)
            {
                (_probesSeen.Contains(name.Key) ? dropped : kept).Add(server);
            }
        }

        _servers = kept;
        return dropped;
    }

    private async Task<DnsMessage> AskAllAsync(CacheKey key, DnsQuestion question)
    {
        var all = _servers;
        for (var i = 0; i < all.Count; i++)
        {
            var at = (_preferred + i) % all.Count;
            if (await TryAskAsync(all[at], question, key.DnssecOk, key.CheckingDisabled, CancellationToken.None).ConfigureAwait(false) is { } answer
                && answer.Rcode is DnsRcode.NoError or DnsRcode.NxDomain)
            {
                _preferred = at;
                cache.Add(key, answer);
                return answer;
            }
        }

        var failure = new DnsMessage { Rcode = DnsRcode.ServFail };
        cache.Add(key, failure);
        return failure;
    }

    private async Task<DnsMessage?> TryAskAsync(IPEndPoint server, DnsQuestion question, bool dnssecOk, bool checkingDisabled, CancellationToken cancel)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(s_attempt);
        var query = new DnsMessage
        {
            RecursionDesired = true,
            CheckingDisabled = checkingDisabled,
            Edns = new Edns(DnsMessage.SafeUdpSize, 0, dnssecOk),
            Questions = [question],
        };
        try
        {
            metrics.ForwardRequests.Inc(server.ToString());
            return await Upstream.AskAsync(server, query, timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or IOException or DnsFormatException || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            metrics.ForwardFailures.Inc(server.ToString());
            return null; // the next server may do better; the counter tells
        }
    }
}
