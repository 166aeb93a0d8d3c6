using System.Collections.Concurrent;
using Hardway.Hosting;

namespace Hardway.ApiServer.FlowControl;

/// <summary>
/// What happened to the requests of a flow schema. Counted by plain numbers, as it is on every request's way, and brought to the metrics
/// when they are read. Safe for all threads.
/// </summary>
internal sealed class FlowCounts(string schema, string level)
{
    private readonly ConcurrentDictionary<FlowRejection, long> _rejected = new();
    private long _dispatched;
    private long _published;

    public string Schema => schema;

    public string Level => level;

    public void Dispatched() => Interlocked.Increment(ref _dispatched);

    public void Rejected(FlowRejection reason) => _rejected.AddOrUpdate(reason, 1, static (_, n) => n + 1);

    /// <summary>One reader at a time.</summary>
    public void Publish(Counter dispatched, Counter rejected)
    {
        var now = Interlocked.Read(ref _dispatched);
        dispatched.Add(now - _published, level, schema);
        _published = now;
        foreach (var reason in _rejected.Keys)
        {
            if (_rejected.TryRemove(reason, out var count))
            {
                rejected.Add(count, level, schema, Word(reason));
            }
        }
    }

    private static string Word(FlowRejection reason) => reason switch
    {
        FlowRejection.ConcurrencyLimit => "concurrency-limit",
        FlowRejection.QueueFull => "queue-full",
        FlowRejection.TimeOut => "time-out",
        _ => "cancelled",
    };
}
