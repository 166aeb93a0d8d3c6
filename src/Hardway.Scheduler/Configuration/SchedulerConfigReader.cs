using System.Text.Json;
using Hardway.Api;
using Hardway.Client;
using Hardway.Hosting;
using Hardway.Scheduler.Plugins.NodeResources;

namespace Hardway.Scheduler.Configuration;

/// <summary>Reads KubeSchedulerConfiguration strictly. What is not supported here is refused with a line that says so, never ignored.</summary>
internal static class SchedulerConfigReader
{
    public static SchedulerConfig Load(string file)
    {
        try
        {
            return Read(file, File.ReadAllText(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ComponentException($"the configuration {file} cannot be read: {e.Message}", e);
        }
    }

    public static SchedulerConfig Read(string file, string yaml)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(YamlJson.ToJson(yaml));
        }
        catch (ApiDecodeException e)
        {
            throw new ComponentException($"{file}: {e.Message}", e);
        }

        using (document)
        {
            var root = ConfigObject.Root(file, document.RootElement, "kubescheduler.config.k8s.io/v1", "KubeSchedulerConfiguration");
            var config = Read(root);
            root.Done();
            return config.LeaderElection.Validate() is { } wrong ? throw root.Wrong("leaderElection", wrong) : config;
        }
    }

    private static SchedulerConfig Read(ConfigObject root)
    {
        var connection = root.Object("clientConnection");
        connection.Inert("acceptContentTypes", "contentType", "qps", "burst");
        root.Inert("parallelism", "enableProfiling", "enableContentionProfiling", "delayCacheUntilActive");
        if (root.Objects("extenders").Count > 0)
        {
            throw root.Wrong("extenders", "are not supported by this scheduler");
        }

        var profiles = root.Objects("profiles").ConvertAll(Profile);
        var twice = profiles.GroupBy(p => p.SchedulerName).FirstOrDefault(g => g.Count() > 1);
        return new SchedulerConfig
        {
            Kubeconfig = connection.String("kubeconfig"),
            LeaderElection = Election(root.Object("leaderElection")),
            PercentageOfNodesToScore = root.Int("percentageOfNodesToScore", 0, 0, 100),
            InitialBackoff = TimeSpan.FromSeconds(root.Int("podInitialBackoffSeconds", 1, 1)),
            MaxBackoff = TimeSpan.FromSeconds(root.Int("podMaxBackoffSeconds", 10, 1)),
            Profiles = twice is not null ? throw root.Wrong("profiles", $"has schedulerName {twice.Key} twice") : profiles.Count > 0 ? profiles : [new ProfileConfig()],
        };
    }

    private static LeaderElectionOptions Election(ConfigObject section)
    {
        var options = new LeaderElectionOptions { ResourceName = "kube-scheduler" };
        options.LeaderElect = section.Bool("leaderElect", options.LeaderElect);
        options.LeaseDuration = section.Duration("leaseDuration", options.LeaseDuration);
        options.RenewDeadline = section.Duration("renewDeadline", options.RenewDeadline);
        options.RetryPeriod = section.Duration("retryPeriod", options.RetryPeriod);
        options.ResourceName = section.String("resourceName", options.ResourceName);
        options.ResourceNamespace = section.String("resourceNamespace", options.ResourceNamespace);
        return section.String("resourceLock", "leases") == "leases" ? options : throw section.Wrong("leaderElection.resourceLock", "can only be leases");
    }

    private static ProfileConfig Profile(ConfigObject section)
    {
        var config = new ProfileConfig { SchedulerName = section.String("schedulerName", "default-scheduler") };
        section.Inert("percentageOfNodesToScore");
        config = Plugins(section.Object("plugins"), config);
        foreach (var arguments in section.Objects("pluginConfig"))
        {
            config = Arguments(arguments.String("name"), arguments, arguments.Object("args"), config);
        }

        return config;
    }

    private static ProfileConfig Plugins(ConfigObject plugins, ProfileConfig config)
    {
        var weights = new Dictionary<string, int>(StringComparer.Ordinal);
        var (disabled, scoreDisabled, enabled) = (new HashSet<string>(), new HashSet<string>(), new HashSet<string>());
        foreach (var point in (string[])["multiPoint", "preEnqueue", "queueSort", "preFilter", "filter", "postFilter", "preScore", "score", "reserve", "permit", "preBind", "bind", "postBind"])
        {
            if (!plugins.Has(point))
            {
                continue;
            }

            var set = plugins.Object(point);
            foreach (var plugin in set.Objects("enabled"))
            {
                var name = Known(plugin, plugin.String("name"));
                enabled.Add(name);
                if (plugin.Int("weight", 0, 0) is > 0 and var weight)
                {
                    weights[name] = weight;
                }
            }

            foreach (var plugin in set.Objects("disabled"))
            {
                plugin.Inert("weight");
                var name = plugin.String("name");
                name = name == "*" ? name : Known(plugin, name);
                (point is "score" or "preScore" ? scoreDisabled : point == "multiPoint" ? disabled
                    : throw plugin.Wrong(point, "cannot be disabled alone here: use multiPoint or score")).Add(name);
            }
        }

        return config with { Weights = weights, Disabled = disabled, ScoreDisabled = scoreDisabled, Enabled = enabled };
    }

    private static string Known(ConfigObject plugin, string name) =>
        PluginTable.Names.Contains(name) ? name : throw plugin.Wrong("name", $"is \"{name}\", which is no plugin of this scheduler; there are {string.Join(", ", PluginTable.Names)}");

    private static ProfileConfig Arguments(string plugin, ConfigObject entry, ConfigObject arguments, ProfileConfig config)
    {
        arguments.Inert("apiVersion", "kind");
        switch (plugin)
        {
            case "NodeResourcesFit":
                arguments.Inert("ignoredResources", "ignoredResourceGroups");
                var strategy = arguments.Object("scoringStrategy");
                return config with
                {
                    FitStrategy = strategy.String("type", "LeastAllocated") switch
                    {
                        "LeastAllocated" => ScoringStrategy.LeastAllocated,
                        "MostAllocated" => ScoringStrategy.MostAllocated,
                        var other => throw strategy.Wrong("scoringStrategy.type", $"is \"{other}\"; it can be LeastAllocated or MostAllocated here"),
                    },
                    FitResources = Resources(strategy, config.FitResources),
                };
            case "NodeResourcesBalancedAllocation":
                return config with { BalancedResources = Resources(arguments, config.BalancedResources) };
            case "InterPodAffinity":
                arguments.Inert("ignorePreferredTermsOfExistingPods");
                return config with { HardPodAffinityWeight = arguments.Int("hardPodAffinityWeight", 1, 0, 100) };
            case "PodTopologySpread":
                return config with { SystemSpreadDefaults = arguments.String("defaultingType", "System") == "System" };
            case "VolumeBinding":
                return config with { VolumeBindTimeout = TimeSpan.FromSeconds(arguments.Int("bindTimeoutSeconds", 600, 0)) };
            case "DefaultPreemption":
                arguments.Inert("minCandidateNodesPercentage", "minCandidateNodesAbsolute");
                return config;
            default:
                throw entry.Wrong("name", $"is \"{plugin}\", which takes no arguments here");
        }
    }

    private static IReadOnlyList<(string, int)> Resources(ConfigObject section, IReadOnlyList<(string, int)> @default)
    {
        var resources = section.Objects("resources").ConvertAll(r => (r.String("name"), r.Int("weight", 1, 1, 100)));
        return resources.Count > 0 ? resources : @default;
    }
}
