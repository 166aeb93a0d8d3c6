using Hardway.Client;
using Hardway.Scheduler.Extenders;
using Hardway.Scheduler.Framework;

namespace Hardway.Scheduler.Configuration;

/// <summary>The plugins a user turned on (with weights, 0: the default's) and off at one extension point; "*" is all.</summary>
internal sealed record PluginSetConfig(IReadOnlyList<(string Name, int Weight)> Enabled, IReadOnlySet<string> Disabled)
{
    public static readonly PluginSetConfig Empty = new([], new HashSet<string>());

    public bool Disables(string name) => Disabled.Contains(name) || Disabled.Contains("*");
}

/// <summary>One profile: a scheduler name, the changes to the default plugins, and their arguments.</summary>
internal sealed record ProfileConfig
{
    public string SchedulerName { get; init; } = "default-scheduler";
    public IReadOnlyDictionary<ExtensionPoint, PluginSetConfig> Plugins { get; init; } = new Dictionary<ExtensionPoint, PluginSetConfig>();
    public PluginArguments Arguments { get; init; } = new();

    /// <summary>Null: the configuration's.</summary>
    public int? PercentageOfNodesToScore { get; init; }

    /// <summary>The same, where NodeResourcesFit also passes over these extended resources.</summary>
    public ProfileConfig Ignoring(IEnumerable<string> resources) => this with
    {
        Arguments = Arguments with { IgnoredResources = Arguments.IgnoredResources.Concat(resources).ToHashSet(StringComparer.Ordinal) },
    };
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
    public IReadOnlyList<ExtenderConfig> Extenders { get; init; } = [];
}
