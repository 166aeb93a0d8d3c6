using Hardway.Api.Coordination.V1;
using Hardway.Api.Core.V1;

namespace Hardway.ControllerManager;

/// <summary>
/// When each node was last heard of, by our own clock: a change of its Lease's renew time or of its Ready condition's heartbeat. Clocks of nodes are not
/// compared with ours. Used by one thread.
/// </summary>
internal sealed class NodeHealth(TimeProvider time)
{
    private readonly Dictionary<string, Heard> _heard = new(StringComparer.Ordinal);

    private sealed record Heard(string Uid, DateTimeOffset? Renewed, DateTimeOffset? Heartbeat, string? ReadyStatus, long At);

    /// <summary>Takes note of the node, and says how long it has been silent.</summary>
    public TimeSpan Observe(Node node, Lease? lease)
    {
        var ready = Ready(node);
        var renewed = lease?.Spec.RenewTime;
        if (!_heard.TryGetValue(node.Metadata.Name, out var heard) || heard.Uid != node.Metadata.Uid || heard.Renewed != renewed || heard.Heartbeat != ready?.LastHeartbeatTime)
        {
            // What we wrote ourselves (Unknown) does not change the heartbeat, so it is no sign of life.
            _heard[node.Metadata.Name] = heard = new Heard(node.Metadata.Uid, renewed, ready?.LastHeartbeatTime, ready?.Status, time.GetTimestamp());
        }
        return time.GetElapsedTime(heard.At);
    }

    public void Keep(ICollection<string> nodes)
    {
        foreach (var gone in _heard.Keys.Where(n => !nodes.Contains(n)).ToList()) _heard.Remove(gone);
    }

    public static NodeCondition? Ready(Node node) => node.Status.Conditions?.Find(c => c.Type == "Ready");

    public static bool IsReady(Node node) => Ready(node)?.Status == "True";
}
