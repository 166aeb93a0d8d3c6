namespace Hardway.Storage.Etcd;

/// <summary>A member as the cluster knows it.</summary>
public sealed record EtcdMember(ulong Id, string Name, IReadOnlyList<string> PeerUrls, IReadOnlyList<string> ClientUrls, bool IsLearner);

/// <summary>What one endpoint says of itself, or why it says nothing.</summary>
public sealed record EtcdStatus(string Endpoint, ulong MemberId, string Version, long DbSize, ulong Leader, ulong RaftTerm, ulong RaftIndex, bool IsLearner, IReadOnlyList<string> Errors);
