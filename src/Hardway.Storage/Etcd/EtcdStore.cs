using System.Runtime.CompilerServices;
using Google.Protobuf;
using Hardway.Grpc;
using Hardway.Storage.Etcd.Wire;

namespace Hardway.Storage.Etcd;

/// <summary>The store on etcd v3. Owns its connections. See <see cref="EtcdEndpoints"/> for what is tried again and what is not.</summary>
public sealed class EtcdStore : IStore
{
    private static readonly ByteString s_probe = ByteString.CopyFromUtf8("/registry/health");
    private readonly EtcdEndpoints _endpoints;
    private readonly TimeSpan _watchLimit;

    public EtcdStore(EtcdOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _watchLimit = options.ReadTryTimeout + options.ConnectTimeout;
        _endpoints = new EtcdEndpoints(options, time ?? TimeProvider.System);
    }

    public async Task<StoreRead> GetAsync(string key, long revision, CancellationToken cancellationToken)
    {
        var answer = await RangeAsync(new RangeRequest { Key = Key(key), Revision = revision }, cancellationToken).ConfigureAwait(false);
        return new StoreRead(answer.Kvs.Count == 0 ? null : Entry(answer.Kvs[0]), answer.Header.Revision);
    }

    public async Task<StoreList> ListAsync(StoreListRequest request, CancellationToken cancellationToken)
    {
        var answer = await RangeAsync(
            new RangeRequest
            {
                Key = Wrap(KeyRange.Start(request.StartKey ?? request.Prefix)),
                RangeEnd = Wrap(KeyRange.PrefixEnd(request.Prefix)),
                Limit = request.Limit,
                Revision = request.Revision,
                CountOnly = request.CountOnly,
                KeysOnly = request.KeysOnly,
            },
            cancellationToken).ConfigureAwait(false);
        var entries = new StoreEntry[answer.Kvs.Count];
        for (var i = 0; i < entries.Length; i++)
        {
            entries[i] = Entry(answer.Kvs[i]);
        }

        return new StoreList(entries, answer.Count, request.Revision > 0 ? request.Revision : answer.Header.Revision);
    }

    public Task<StoreWrite> CreateAsync(string key, ReadOnlyMemory<byte> value, long lease, CancellationToken cancellationToken) =>
        UpdateAsync(key, value, 0, lease, cancellationToken);

    public Task<StoreWrite> UpdateAsync(string key, ReadOnlyMemory<byte> value, long expectedModRevision, long lease, CancellationToken cancellationToken)
    {
        var put = new PutRequest { Key = Key(key), Value = Wrap(value), Lease = lease };
        return WriteAsync(put.Key, expectedModRevision, new RequestOp { RequestPut = put }, cancellationToken);
    }

    public async Task<StoreWrite> DeleteAsync(string key, long expectedModRevision, CancellationToken cancellationToken)
    {
        var delete = new DeleteRangeRequest { Key = Key(key) };
        return await WriteAsync(delete.Key, expectedModRevision == 0 ? null : expectedModRevision, new RequestOp { RequestDeleteRange = delete }, cancellationToken).ConfigureAwait(false);
    }

    public async Task<long> CurrentRevisionAsync(CancellationToken cancellationToken) =>
        (await RangeAsync(new RangeRequest { Key = s_probe, CountOnly = true }, cancellationToken).ConfigureAwait(false)).Header.Revision;

    public async IAsyncEnumerable<StoreWatchBatch> WatchAsync(string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var endpoint = _endpoints.Next();
        var call = endpoint.Channel.Duplex<WatchRequest, WatchResponse>(EtcdMethods.Watch, WatchResponse.Parser, null, cancellationToken);
        await using (call.ConfigureAwait(false))
        {
            var create = new WatchCreateRequest
            {
                Key = Wrap(KeyRange.Start(prefix)),
                RangeEnd = Wrap(KeyRange.PrefixEnd(prefix)),
                StartRevision = fromRevision,
                PrevKv = true,
            };
            await SendAsync(endpoint, call, new WatchRequest { CreateRequest = create }, cancellationToken).ConfigureAwait(false);
            for (var first = true; ; first = false)
            {
                // A member that hangs accepts the call and never says that the watch stands.
                var response = await ReceiveAsync(endpoint, call, first ? _watchLimit : Timeout.InfiniteTimeSpan).ConfigureAwait(false);
                if (response.Canceled || response.CompactRevision > 0)
                {
                    throw WatchEnded(endpoint, response);
                }

                // Header revisions run ahead of the events while etcd catches a watch up (and progress notifications do before 3.4.31), so only events count.
                yield return response.Events.Count == 0
                    ? new StoreWatchBatch([], fromRevision - 1)
                    : new StoreWatchBatch(Events(response), response.Events[^1].Kv.ModRevision);
            }
        }
    }

    public async Task CompactAsync(long revision, CancellationToken cancellationToken)
    {
        try
        {
            await _endpoints.CallAsync(EtcdMethods.Compact, new CompactionRequest { Revision = revision }, CompactionResponse.Parser, write: false, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException e) when (e.Error == StoreError.Compacted)
        {
            // Somebody else compacted as far or further.
        }
    }

    public async Task<long> GrantLeaseAsync(TimeSpan ttl, CancellationToken cancellationToken)
    {
        var request = new LeaseGrantRequest { Ttl = Math.Max(1, (long)Math.Ceiling(ttl.TotalSeconds)) };
        // A lease too many ends by itself, so asking twice does no harm.
        return (await _endpoints.CallAsync(EtcdMethods.LeaseGrant, request, LeaseGrantResponse.Parser, write: false, cancellationToken).ConfigureAwait(false)).Id;
    }

    public async Task<bool> KeepLeaseAliveAsync(long lease, CancellationToken cancellationToken)
    {
        var endpoint = _endpoints.Next();
        var call = endpoint.Channel.Duplex<LeaseKeepAliveRequest, LeaseKeepAliveResponse>(EtcdMethods.LeaseKeepAlive, LeaseKeepAliveResponse.Parser, TimeSpan.FromSeconds(5), cancellationToken);
        await using (call.ConfigureAwait(false))
        {
            await SendAsync(endpoint, call, new LeaseKeepAliveRequest { Id = lease }, cancellationToken).ConfigureAwait(false);
            return (await ReceiveAsync(endpoint, call, Timeout.InfiniteTimeSpan).ConfigureAwait(false)).Ttl > 0;
        }
    }

    public async Task RevokeLeaseAsync(long lease, CancellationToken cancellationToken)
    {
        try
        {
            await _endpoints.CallAsync(EtcdMethods.LeaseRevoke, new LeaseRevokeRequest { Id = lease }, LeaseRevokeResponse.Parser, write: false, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException e) when (e.Error == StoreError.LeaseNotFound)
        {
            // It has ended: what was wanted.
        }
    }

    public async Task<IReadOnlyList<EtcdMember>> MembersAsync(CancellationToken cancellationToken)
    {
        var answer = await _endpoints.CallAsync(EtcdMethods.MemberList, new MemberListRequest(), MemberListResponse.Parser, write: false, cancellationToken).ConfigureAwait(false);
        return [.. answer.Members.Select(m => new EtcdMember(m.Id, m.Name, [.. m.PeerUrls], [.. m.ClientUrls], m.IsLearner))];
    }

    /// <summary>Asks every endpoint at the same time; one that does not answer in time is there with its error.</summary>
    public Task<EtcdStatus[]> StatusAsync(TimeSpan limit, CancellationToken cancellationToken) =>
        Task.WhenAll(_endpoints.Channels.Select(c => StatusAsync(c, limit, cancellationToken)));

    public ValueTask DisposeAsync()
    {
        _endpoints.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>An unconditional write: the yardstick of benchmarks, not part of the store's contract.</summary>
    internal Task PutAsync(string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken) =>
        _endpoints.CallAsync(EtcdMethods.Put, new PutRequest { Key = Key(key), Value = Wrap(value) }, PutResponse.Parser, write: true, cancellationToken);

    private static async Task<EtcdStatus> StatusAsync(GrpcChannel channel, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            var s = await channel.UnaryAsync(EtcdMethods.Status, new StatusRequest(), StatusResponse.Parser, limit, cancellationToken).ConfigureAwait(false);
            return new EtcdStatus(channel.Target, s.Header.MemberId, s.Version, s.DbSize, s.Leader, s.RaftTerm, s.RaftIndex, s.IsLearner, [.. s.Errors]);
        }
        catch (GrpcException e)
        {
            return new EtcdStatus(channel.Target, 0, "", 0, 0, 0, 0, false, [e.Detail]);
        }
    }

    private async Task<StoreWrite> WriteAsync(ByteString key, long? expected, RequestOp change, CancellationToken cancellationToken)
    {
        var condition = new Compare { Target = Compare.Types.CompareTarget.Mod, Key = key, ModRevision = expected ?? 0, Result = expected is null ? Compare.Types.CompareResult.NotEqual : Compare.Types.CompareResult.Equal };
        var transaction = new TxnRequest
        {
            Compare = { condition },
            Success = { change },
            Failure = { new RequestOp { RequestRange = new RangeRequest { Key = key } } },
        };
        var answer = await _endpoints.CallAsync(EtcdMethods.Txn, transaction, TxnResponse.Parser, write: true, cancellationToken).ConfigureAwait(false);
        if (answer.Succeeded)
        {
            return new StoreWrite(true, answer.Header.Revision, null);
        }

        var there = answer.Responses is [{ ResponseRange.Kvs: { Count: 1 } kvs }] ? Entry(kvs[0]) : null;
        return new StoreWrite(false, answer.Header.Revision, there);
    }

    private Task<RangeResponse> RangeAsync(RangeRequest request, CancellationToken cancellationToken) =>
        _endpoints.CallAsync(EtcdMethods.Range, request, RangeResponse.Parser, write: false, cancellationToken);

    private async ValueTask SendAsync<TRequest, TResponse>(EtcdEndpoints.Endpoint endpoint, GrpcDuplexCall<TRequest, TResponse> call, TRequest message, CancellationToken cancellationToken)
        where TRequest : IMessage
        where TResponse : IMessage<TResponse>
    {
        try
        {
            await call.SendAsync(message, cancellationToken).ConfigureAwait(false);
        }
        catch (GrpcException e)
        {
            throw Failed(endpoint, e);
        }
    }

    private async ValueTask<TResponse> ReceiveAsync<TRequest, TResponse>(EtcdEndpoints.Endpoint endpoint, GrpcDuplexCall<TRequest, TResponse> call, TimeSpan limit)
        where TRequest : IMessage
        where TResponse : IMessage<TResponse>
    {
        try
        {
            var receiving = call.ReceiveAsync();
            var message = limit == Timeout.InfiniteTimeSpan ? await receiving.ConfigureAwait(false) : await receiving.AsTask().WaitAsync(limit).ConfigureAwait(false);
            return message ?? throw new GrpcException(StatusCode.Unavailable, $"{endpoint.Channel.Target} ended the stream");
        }
        catch (TimeoutException e)
        {
            throw Failed(endpoint, new GrpcException(StatusCode.DeadlineExceeded, $"{endpoint.Channel.Target} did not answer within {limit.TotalSeconds} s", e));
        }
        catch (GrpcException e)
        {
            throw Failed(endpoint, e);
        }
    }

    private StoreException Failed(EtcdEndpoints.Endpoint endpoint, GrpcException e)
    {
        if (EtcdErrors.IsEndpointFailure(e))
        {
            _endpoints.MarkDead(endpoint);
        }

        return EtcdErrors.ToStore(e, write: false);
    }

    private StoreException WatchEnded(EtcdEndpoints.Endpoint endpoint, WatchResponse response)
    {
        if (response.CompactRevision > 0)
        {
            return new StoreException(StoreError.Compacted, $"etcd: history before revision {response.CompactRevision} has been compacted") { CompactRevision = response.CompactRevision };
        }

        _endpoints.MarkDead(endpoint);
        return new StoreException(StoreError.Unavailable, $"etcd: {endpoint.Channel.Target} ended the watch: {response.CancelReason}");
    }

    private static StoreEvent[] Events(WatchResponse response)
    {
        var events = new StoreEvent[response.Events.Count];
        for (var i = 0; i < events.Length; i++)
        {
            var e = response.Events[i];
            var type = e.Type == Event.Types.EventType.Delete ? StoreEventType.Delete : StoreEventType.Put;
            events[i] = new StoreEvent(type, Entry(e.Kv), e.PrevKv is null ? null : Entry(e.PrevKv));
        }

        return events;
    }

    private static StoreEntry Entry(KeyValue kv) => new(kv.Key.ToStringUtf8(), kv.Value.Memory, kv.ModRevision, kv.CreateRevision, kv.Lease);

    private static ByteString Key(string key) => ByteString.CopyFromUtf8(key);

    private static ByteString Wrap(ReadOnlyMemory<byte> bytes) => UnsafeByteOperations.UnsafeWrap(bytes);
}
