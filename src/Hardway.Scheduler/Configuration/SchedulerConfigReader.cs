using Hardway.Client;
using Hardway.Hosting;
using Hardway.Scheduler.Extenders;
using Hardway.Scheduler.Framework;

namespace Hardway.Scheduler.Configuration;

/// <summary>Reads KubeSchedulerConfiguration strictly: what is unknown or wrong is one line that names the file and the field.</summary>
internal static class SchedulerConfigReader
{
    private const string ApiVersion = "kubescheduler.config.k8s.io/v1";
    private const string Kind = "KubeSchedulerConfiguration";

    public static SchedulerConfig Load(string file) => ConfigFile.Load(file, ApiVersion, Kind, Read);

    public static SchedulerConfig Read(string file, string yaml) => ConfigFile.Read(file, yaml, ApiVersion, Kind, Read);

    private static SchedulerConfig Read(ConfigObject root)
    {
        var connection = root.Object("clientConnection");
        connection.Inert("acceptContentTypes", "contentType", "qps", "burst");
        root.Inert("parallelism", "enableProfiling", "enableContentionProfiling", "delayCacheUntilActive");
        var election = Election(root.Object("leaderElection"));
        var extenders = ExtenderConfigReader.Read(root);
        var (initial, max) = (root.Int("podInitialBackoffSeconds", 1, 1), root.Int("podMaxBackoffSeconds", 10, 1));
        return new SchedulerConfig
        {
            Kubeconfig = connection.String("kubeconfig"),
            LeaderElection = election.Validate() is { } wrong ? throw root.Wrong("leaderElection", wrong) : election,
            PercentageOfNodesToScore = root.Int("percentageOfNodesToScore", 0, 0, 100),
            InitialBackoff = TimeSpan.FromSeconds(initial),
            MaxBackoff = max >= initial ? TimeSpan.FromSeconds(max) : throw root.Wrong("podMaxBackoffSeconds", $"is {max}, less than podInitialBackoffSeconds ({initial})"),
            Profiles = Profiles(root).ConvertAll(p => p.Ignoring(extenders.SelectMany(e => e.IgnoredByScheduler))),
            Extenders = extenders,
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

    private static List<ProfileConfig> Profiles(ConfigObject root)
    {
        var profiles = root.Objects("profiles").ConvertAll(Profile);
        if (profiles.GroupBy(p => p.SchedulerName).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw root.Wrong("profiles", $"has schedulerName {twice.Key} twice");
        }

        // There is one queue.
        if (profiles.Select(p => string.Join(',', PluginTable.Resolve(p)[ExtensionPoint.QueueSort].Select(q => q.Name))).Distinct().Count() > 1)
        {
            throw root.Wrong("profiles", "must all have the same queueSort plugin");
        }

        return profiles.Count > 0 ? profiles : [new ProfileConfig()];
    }

    private static ProfileConfig Profile(ConfigObject section)
    {
        var config = new ProfileConfig
        {
            SchedulerName = section.String("schedulerName", "default-scheduler"),
            PercentageOfNodesToScore = section.Has("percentageOfNodesToScore") ? section.Int("percentageOfNodesToScore", 0, 0, 100) : null,
            Plugins = Plugins(section.Object("plugins")),
        };
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in section.Objects("pluginConfig"))
        {
            var name = entry.String("name");
            if (!seen.Add(name))
            {
                throw entry.Wrong("name", $"{name} is configured twice");
            }

            config = config with { Arguments = PluginArgumentsReader.Read(name, entry, config.Arguments) };
        }

        var resolved = PluginTable.Resolve(config);
        return resolved[ExtensionPoint.QueueSort].Count != 1 ? throw section.Wrong("plugins.queueSort", "must have exactly one plugin enabled")
            : resolved[ExtensionPoint.Bind].Count == 0 ? throw section.Wrong("plugins.bind", "must have at least one plugin enabled") : config;
    }

    private static Dictionary<ExtensionPoint, PluginSetConfig> Plugins(ConfigObject plugins)
    {
        var sets = new Dictionary<ExtensionPoint, PluginSetConfig>();
        foreach (var point in Enum.GetValues<ExtensionPoint>())
        {
            var name = char.ToLowerInvariant(point.ToString()[0]) + point.ToString()[1..];
            if (plugins.Has(name))
            {
                sets[point] = Set(plugins.Object(name), point);
            }
        }

        return sets;
    }

    private static PluginSetConfig Set(ConfigObject set, ExtensionPoint point)
    {
        var enabled = set.Objects("enabled").ConvertAll(plugin => (Name: Known(plugin, point), Weight: plugin.Int("weight", 0, 0)));
        if (enabled.GroupBy(e => e.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw set.Wrong("enabled", $"has {twice.Key} twice");
        }

        var disabled = new HashSet<string>(StringComparer.Ordinal);
        foreach (var plugin in set.Objects("disabled"))
        {
            plugin.Inert("weight");
            disabled.Add(plugin.String("name"));
        }

        return new PluginSetConfig(enabled, disabled);
    }

    private static string Known(ConfigObject plugin, ExtensionPoint point)
    {
        var name = plugin.String("name");
        return !PluginTable.Points.TryGetValue(name, out var points)
            ? throw plugin.Wrong("name", $"is \"{name}\", which is no plugin of this scheduler; there are {string.Join(", ", PluginTable.Points.Keys)}")
            : point == ExtensionPoint.MultiPoint || points.Contains(point) ? name
            : throw plugin.Wrong("name", $"is \"{name}\", which does not implement {point}");
    }
}
