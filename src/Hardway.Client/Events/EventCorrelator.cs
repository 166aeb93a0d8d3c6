using Hardway.Api.Core.V1;

namespace Hardway.Client;

/// <summary>Decides whether an event is new, a repeat of one sent before, one of many similar, or too much. Bounded memory; for one thread.</summary>
internal sealed class EventCorrelator(TimeProvider time)
{
    private const int MaxEntries = 4096;
    private const int SimilarAllowed = 10;
    private const double Burst = 25;
    private static readonly TimeSpan _similarWindow = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan _refill = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Similar> _similar = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);

    /// <summary>An Event object that exists, or is about to.</summary>
    internal sealed class Entry
    {
        public required string Namespace { get; init; }
        public required string Name { get; set; }
        public required string Message { get; set; }
        public int Count { get; set; }
    }

    private sealed class Similar
    {
        public HashSet<string> Messages { get; } = new(StringComparer.Ordinal);
        public long Last { get; set; }
    }

    private sealed class Bucket
    {
        public double Tokens { get; set; } = Burst;
        public long Last { get; set; }
    }

    /// <summary>What to send: an entry with count 1 is to be created, with more to be patched; null is to be dropped.</summary>
    public Entry? Correlate(Event happened)
    {
        Trim();
        var about = happened.InvolvedObject;
        var who = $"{happened.Source.Component}\u0001{happened.Source.Host}\u0001{about.Kind}\u0001{about.Namespace}\u0001{about.Name}\u0001{about.Uid}\u0001{about.ApiVersion}";
        if (!TakeToken(who)) return null;
        var group = $"{who}\u0001{happened.Type}\u0001{happened.Reason}";
        var message = happened.Message;
        var key = $"{group}\u0001{about.FieldPath}\u0001{message}";
        if (TooManySimilar(group, message))
        {
            key = group;
            message = "(combined from similar events): " + message;
        }
        if (!_entries.TryGetValue(key, out var entry))
        {
            _entries[key] = entry = new Entry { Namespace = happened.Metadata.Namespace, Name = happened.Metadata.Name, Message = message };
        }
        entry.Count++;
        entry.Message = message;
        return entry;
    }

    private bool TooManySimilar(string group, string message)
    {
        if (!_similar.TryGetValue(group, out var similar)) _similar[group] = similar = new Similar { Last = time.GetTimestamp() };
        if (time.GetElapsedTime(similar.Last) > _similarWindow) similar.Messages.Clear();
        similar.Last = time.GetTimestamp();
        if (similar.Messages.Count <= SimilarAllowed) similar.Messages.Add(message);
        return similar.Messages.Count > SimilarAllowed;
    }

    private bool TakeToken(string who)
    {
        var now = time.GetTimestamp();
        if (!_buckets.TryGetValue(who, out var bucket)) _buckets[who] = bucket = new Bucket { Last = now };
        bucket.Tokens = Math.Min(Burst, bucket.Tokens + (time.GetElapsedTime(bucket.Last, now) / _refill));
        bucket.Last = now;
        if (bucket.Tokens < 1) return false;
        bucket.Tokens--;
        return true;
    }

    private void Trim()
    {
        if (_entries.Count >= MaxEntries) _entries.Clear();
        if (_similar.Count >= MaxEntries) _similar.Clear();
        if (_buckets.Count >= MaxEntries) _buckets.Clear();
    }
}
