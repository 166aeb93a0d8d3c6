using System.Globalization;
using Hardway.Api.Core.V1;

namespace Hardway.ControllerManager;

/// <summary>
/// Which Pods go first when there are too many: not assigned to a node before assigned, Pending before Unknown before Running, not ready before
/// ready, lower pod-deletion-cost, more siblings on its node, ready for a shorter time, more restarts, newer. Times are compared by powers of
/// two, as KEP-2185 says, so that deletions spread.
/// </summary>
internal sealed class PodRanking(Func<Pod, int> siblingsOnNode, DateTimeOffset now) : IComparer<Pod>
{
    public int Compare(Pod? x, Pod? y)
    {
        if (x is null || y is null) return 0;
        if ((x.Spec.NodeName.Length == 0) != (y.Spec.NodeName.Length == 0)) return x.Spec.NodeName.Length == 0 ? -1 : 1;
        var byPhase = PhaseRank(x).CompareTo(PhaseRank(y));
        if (byPhase != 0) return byPhase;
        var byReady = PodState.IsReady(x).CompareTo(PodState.IsReady(y));
        if (byReady != 0) return byReady;
        var byCost = Cost(x).CompareTo(Cost(y));
        if (byCost != 0) return byCost;
        var bySiblings = siblingsOnNode(y).CompareTo(siblingsOnNode(x));
        if (bySiblings != 0) return bySiblings;
        if (PodState.IsReady(x))
        {
            var byAge = Bucket(PodState.Condition(x, "Ready")?.LastTransitionTime).CompareTo(Bucket(PodState.Condition(y, "Ready")?.LastTransitionTime));
            if (byAge != 0) return byAge;
        }
        var byRestarts = PodState.Restarts(y).CompareTo(PodState.Restarts(x));
        if (byRestarts != 0) return byRestarts;
        var byCreation = Bucket(x.Metadata.CreationTimestamp).CompareTo(Bucket(y.Metadata.CreationTimestamp));
        return byCreation != 0 ? byCreation : string.CompareOrdinal(x.Metadata.Uid, y.Metadata.Uid);
    }

    private int Bucket(DateTimeOffset? since)
    {
        if (since is null) return -1;
        var age = (now - since.Value).TotalSeconds;
        return age < 1 ? 0 : (int)Math.Log2(age) + 1;
    }

    private static int PhaseRank(Pod pod) => pod.Status.Phase switch { "Pending" or "" => 0, "Unknown" => 1, _ => 2 };

    private static int Cost(Pod pod) =>
        pod.Metadata.Annotations?.GetValueOrDefault(PodState.DeletionCost) is { } text && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var cost) ? cost : 0;
}
