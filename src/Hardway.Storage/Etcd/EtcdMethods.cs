namespace Hardway.Storage.Etcd;

internal static class EtcdMethods
{
    public const string Range = "/etcdserverpb.KV/Range";
    public const string Txn = "/etcdserverpb.KV/Txn";
    public const string Put = "/etcdserverpb.KV/Put";
    public const string Compact = "/etcdserverpb.KV/Compact";
    public const string Watch = "/etcdserverpb.Watch/Watch";
    public const string LeaseGrant = "/etcdserverpb.Lease/LeaseGrant";
    public const string LeaseRevoke = "/etcdserverpb.Lease/LeaseRevoke";
    public const string LeaseKeepAlive = "/etcdserverpb.Lease/LeaseKeepAlive";
    public const string Status = "/etcdserverpb.Maintenance/Status";
    public const string MemberList = "/etcdserverpb.Cluster/MemberList";
}
