using System.Text.Json.Nodes;

namespace Hardway.Provisioning.Api;

/// <summary>A leader election's Lease: who holds it, since when, and how much of it is left.</summary>
internal sealed record LeaseState(string Name, string Holder, DateTimeOffset Renewed, TimeSpan Duration, int Transitions)
{
    /// <summary>The machine of the holder: identities are HOSTNAME_UUID.</summary>
    public string Machine => Holder.Split('_')[0];

    public TimeSpan Age(DateTimeOffset now) => now - Renewed > TimeSpan.Zero ? now - Renewed : TimeSpan.Zero;

    public TimeSpan Left(DateTimeOffset now) => Duration - Age(now);

    /// <summary>Null when there is no such Lease, or nobody holds it.</summary>
    public static async Task<LeaseState?> ReadAsync(ApiConnection api, string name, CancellationToken cancellation)
    {
        var spec = (await api.GetAsync(PathOf(name), cancellation).ConfigureAwait(false))?["spec"];
        return Of(name, spec);
    }

    public static string PathOf(string name) => $"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{name}";

    public static LeaseState? Of(string name, JsonNode? spec)
        => (string?)spec?["holderIdentity"] is { Length: > 0 } holder && DateTimeOffset.TryParse((string?)spec["renewTime"], out var renewed)
            ? new LeaseState(name, holder, renewed, TimeSpan.FromSeconds((int?)spec["leaseDurationSeconds"] ?? 15), (int?)spec["leaseTransitions"] ?? 0)
            : null;
}
