using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Admission.Plugins.Policy;

/// <summary>What a limit is counted by.</summary>
internal enum EventLimitType
{
    Server,
    Namespace,
    User,
    SourceAndObject,
}

/// <summary>One limit of the plugin's configuration.</summary>
internal sealed record EventLimit(EventLimitType Type, double Qps, double Burst, int CacheSize);

/// <summary>Refuses Events that come too fast, by token buckets for the server, each namespace, each user or each source and object. Off by default.</summary>
internal sealed class EventRateLimit(IReadOnlyList<EventLimit> limits, TimeProvider time) : AdmissionPlugin
{
    private readonly Limiter[] _limiters = [.. limits.Select(l => new Limiter(l, time))];

    public override string Name => "EventRateLimit";

    public override ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes is not { Resource: "events", Group: "" or "events.k8s.io", Subresource: "" } || attributes.DryRun)
        {
            return ValueTask.CompletedTask;
        }

        foreach (var limiter in _limiters)
        {
            if (!limiter.TryTake(attributes))
            {
                throw Statuses.TooManyRequests($"limit reached on type {limiter.Type} for key {limiter.KeyOf(attributes)}");
            }
        }

        return ValueTask.CompletedTask;
    }

    private sealed class Limiter(EventLimit limit, TimeProvider time)
    {
        private readonly Dictionary<string, (double Tokens, long At)> _buckets = new(StringComparer.Ordinal);
        private readonly Lock _taking = new();

        public EventLimitType Type => limit.Type;

        public string KeyOf(AdmissionAttributes a) => limit.Type switch
        {
            EventLimitType.Namespace => a.Namespace,
            EventLimitType.User => a.User.Name,
            EventLimitType.SourceAndObject => a.Object is Api.Core.V1.Event e ? $"{e.Source.Component}/{e.Source.Host}/{e.InvolvedObject.Namespace}/{e.InvolvedObject.Kind}/{e.InvolvedObject.Name}/{e.InvolvedObject.Uid}" : "",
            _ => "",
        };

        public bool TryTake(AdmissionAttributes attributes)
        {
            var key = KeyOf(attributes);
            lock (_taking)
            {
                var now = time.GetTimestamp();
                var tokens = _buckets.TryGetValue(key, out var bucket) ? Math.Min(limit.Burst, bucket.Tokens + (time.GetElapsedTime(bucket.At, now).TotalSeconds * limit.Qps)) : limit.Burst;
                if (_buckets.Count >= limit.CacheSize && !_buckets.ContainsKey(key))
                {
                    _buckets.Remove(_buckets.MinBy(b => b.Value.At).Key);
                }

                _buckets[key] = (tokens >= 1 ? tokens - 1 : tokens, now);
                return tokens >= 1;
            }
        }
    }
}
