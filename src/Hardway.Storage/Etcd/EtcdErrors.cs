using Hardway.Grpc;

namespace Hardway.Storage.Etcd;

/// <summary>Reads etcd's errors: which are final, which are worth another endpoint, and what the caller of the store sees.</summary>
internal static class EtcdErrors
{
    /// <summary>The endpoint cannot serve now; another may.</summary>
    public static bool IsEndpointFailure(GrpcException e) =>
        e.Status is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled or StatusCode.Unimplemented
        || (e.Status is StatusCode.Internal or StatusCode.Unknown && !IsFromEtcd(e));

    /// <summary>True when nothing can have been changed: it never left, or etcd refused before proposing it.</summary>
    public static bool IsCertainlyNotDone(GrpcException e) =>
        e.NotSent || Says(e, "no leader") || Says(e, "too many requests") || Says(e, "not capable") || Says(e, "server stopped");

    public static StoreException ToStore(GrpcException e, bool write)
    {
        var kind =
            Says(e, "revision has been compacted") ? StoreError.Compacted
            : Says(e, "future revision") ? StoreError.FutureRevision
            : Says(e, "lease not found") ? StoreError.LeaseNotFound
            : Says(e, "request is too large") || Says(e, "larger than max") ? StoreError.TooLarge
            : Says(e, "database space exceeded") ? StoreError.NoSpace
            : IsCertainlyNotDone(e) ? StoreError.Unavailable
            : IsEndpointFailure(e) ? write ? StoreError.OutcomeUnknown : StoreError.Unavailable
            : StoreError.Refused;
        return new StoreException(kind, $"etcd: {e.Detail}", e);
    }

    private static bool IsFromEtcd(GrpcException e) => Says(e, "etcdserver:") || Says(e, "mvcc:") || Says(e, "auth:");

    private static bool Says(GrpcException e, string words) => e.Detail.Contains(words, StringComparison.Ordinal);
}
