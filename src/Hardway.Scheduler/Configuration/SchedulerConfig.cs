using Hardway.Client;
using Hardway.Scheduler.Plugins.NodeResources;

namespace Hardway.Scheduler.Configuration;

/// <summary>One profile: a scheduler name, the changes to the default plugins, and their arguments.</summary>
internal sealed record ProfileConfig
{
    public string SchedulerName { get; init; } = "default-scheduler";

    /// <summary>Weights of score plugins that differ from the default.</summary>
    public IReadOnlyDictionary<string, int> Weights { get; init; } = new Dictionary<string, int>();

    /// <summary>Plugins turned off everywhere; "*" is all.</summary>
    public IReadOnlySet<string> Disabled { get; init; } = new HashSet<string>();

    /// <summary>Plugins turned off for scoring only.</summary>
    public IReadOnlySet<string> ScoreDisabled { get; init; } = new HashSet<string>();

    public IReadOnlySet<string> Enabled { get; init; } = new HashSet<string>();
    public ScoringStrategy FitStrategy { get; init; } = ScoringStrategy.LeastAllocated;
    public IReadOnlyList<(string Name, int Weight)> FitResources { get; init; } = NodeResourcesFit.DefaultResources;
    public IReadOnlyList<(string Name, int Weight)> BalancedResources { get; init; } = NodeResourcesFit.DefaultResources;
    public int HardPodAffinityWeight { get; init; } = 1;
    public bool SystemSpreadDefaults { get; init; } = true;
    public TimeSpan VolumeBindTimeout { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>What of KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1) is acted on, with upstream's defaults.</summary>
internal sealed record SchedulerConfig
{
    public string Kubeconfig { get; init; } = "";
    public LeaderElectionOptions LeaderElection { get; init; } = new() { ResourceName = "kube-scheduler" };
    public int PercentageOfNodesToScore { get; init; }
    public TimeSpan InitialBackoff { get; init; } = TimeSpan.FromSeconds(1);
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(10);
    public IReadOnlyList<ProfileConfig> Profiles { get; init; } = [new()];
}
