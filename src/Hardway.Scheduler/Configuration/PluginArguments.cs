using Hardway.Api.Core.V1;
using Hardway.Scheduler.Plugins.NodeResources;
using ApiNodeAffinity = Hardway.Api.Core.V1.NodeAffinity;

namespace Hardway.Scheduler.Configuration;

/// <summary>The arguments of a profile's plugins, with upstream's defaults.</summary>
internal sealed record PluginArguments
{
    public ScoringStrategy Fit { get; init; } = ScoringStrategy.Default;

    /// <summary>Extended resources and groups of them that NodeResourcesFit passes over.</summary>
    public IReadOnlySet<string> IgnoredResources { get; init; } = new HashSet<string>();

    public IReadOnlyList<(string Name, int Weight)> BalancedResources { get; init; } = ScoringStrategy.DefaultResources;
    public int HardPodAffinityWeight { get; init; } = 1;
    public bool IgnorePreferredTermsOfExistingPods { get; init; }

    /// <summary>Null: the system's.</summary>
    public IReadOnlyList<TopologySpreadConstraint>? SpreadDefaults { get; init; }

    public ApiNodeAffinity? AddedAffinity { get; init; }
    public int MinCandidateNodesPercentage { get; init; } = 10;
    public int MinCandidateNodesAbsolute { get; init; } = 100;
    public TimeSpan VolumeBindTimeout { get; init; } = TimeSpan.FromMinutes(10);
}
