using Google.Protobuf;
using Hardway.Grpc;

namespace Hardway.Storage.Etcd;

/// <summary>
/// The members of one etcd cluster, asked in turn. An endpoint that failed rests for a while; when all rest, the one that has rested
/// longest is asked. A read is tried on others until its time is over; a write only while it certainly was not done.
/// Thread-safe, without locks.
/// </summary>
internal sealed class EtcdEndpoints : IDisposable
{
    private readonly Endpoint[] _endpoints;
    private readonly EtcdOptions _options;
    private readonly TimeProvider _time;
    private int _turn = -1;

    public EtcdEndpoints(EtcdOptions options, TimeProvider time)
    {
        options.Validate();
        _options = options;
        _time = time;
        _endpoints = [.. options.Endpoints.Select(e => new Endpoint(GrpcChannel.ForAddress(e, ChannelOptions(options))))];
    }

    /// <summary>For one endpoint's own answers (status).</summary>
    public IEnumerable<GrpcChannel> Channels => _endpoints.Select(e => e.Channel);

    public async Task<TResponse> CallAsync<TRequest, TResponse>(
        string method, TRequest request, MessageParser<TResponse> parser, bool write, CancellationToken cancellationToken)
        where TRequest : IMessage
        where TResponse : IMessage<TResponse>
    {
        var start = _time.GetTimestamp();
        GrpcException? last = null;
        for (var tries = 1; ; tries++)
        {
            var left = _options.RequestTimeout - _time.GetElapsedTime(start);
            if (last is not null && left <= TimeSpan.Zero)
            {
                // None of the tries did anything, or there would not have been another.
                throw EtcdErrors.ToStore(last, write: false);
            }

            var limit = write || left < _options.ReadTryTimeout ? left : _options.ReadTryTimeout;
            var endpoint = Next();
            try
            {
                var response = await endpoint.Channel.UnaryAsync(method, request, parser, limit, cancellationToken).ConfigureAwait(false);
                endpoint.DeadUntil = 0;
                return response;
            }
            catch (GrpcException e)
            {
                if (EtcdErrors.IsEndpointFailure(e))
                {
                    MarkDead(endpoint);
                }

                if (!EtcdErrors.IsCertainlyNotDone(e) && (write || !EtcdErrors.IsEndpointFailure(e)))
                {
                    throw EtcdErrors.ToStore(e, write);
                }

                last = e;
            }

            // Every endpoint was asked once in this round: give them a moment before the next.
            if (tries % _endpoints.Length == 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(50 * tries, 500)), _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The endpoint whose turn it is, for a call that lives long; its owner reports a failure by <see cref="MarkDead(Endpoint)"/>.</summary>
    public Endpoint Next()
    {
        var now = _time.GetTimestamp();
        var turn = Interlocked.Increment(ref _turn) & int.MaxValue;
        var longestRested = _endpoints[turn % _endpoints.Length];
        for (var i = 0; i < _endpoints.Length; i++)
        {
            var endpoint = _endpoints[(turn + i) % _endpoints.Length];
            var deadUntil = endpoint.DeadUntil;
            if (deadUntil <= now)
            {
                return endpoint;
            }

            if (deadUntil < longestRested.DeadUntil)
            {
                longestRested = endpoint;
            }
        }

        return longestRested;
    }

    public void MarkDead(Endpoint endpoint) =>
        endpoint.DeadUntil = _time.GetTimestamp() + (long)(_options.DeadTime.TotalSeconds * _time.TimestampFrequency);

    public void Dispose()
    {
        foreach (var endpoint in _endpoints)
        {
            endpoint.Channel.Dispose();
        }
    }

    private static GrpcChannelOptions ChannelOptions(EtcdOptions options) => new()
    {
        Tls = options.Tls,
        ConnectTimeout = options.ConnectTimeout,
        MaxReceiveMessageSize = int.MaxValue,
        // etcd closes connections of clients that ping more often than every 5 s (--grpc-keepalive-min-time).
        KeepAliveInterval = TimeSpan.FromSeconds(6),
        KeepAliveTimeout = TimeSpan.FromSeconds(4),
        // A member that lost its leader answers at once instead of keeping us: also ends a watch on a member that was cut off.
        Metadata = new Dictionary<string, string> { ["hasleader"] = "true" },
    };

    internal sealed class Endpoint(GrpcChannel channel)
    {
        private long _deadUntil;

        public GrpcChannel Channel { get; } = channel;

        public long DeadUntil
        {
            get => Volatile.Read(ref _deadUntil);
            set => Volatile.Write(ref _deadUntil, value);
        }
    }
}
