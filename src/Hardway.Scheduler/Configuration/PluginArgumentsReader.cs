using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Hosting;
using Hardway.Scheduler.Plugins.NodeResources;
using ApiNodeAffinity = Hardway.Api.Core.V1.NodeAffinity;

namespace Hardway.Scheduler.Configuration;

/// <summary>Reads one entry of a profile's pluginConfig into the arguments, with upstream's checks.</summary>
internal static class PluginArgumentsReader
{
    public static PluginArguments Read(string plugin, ConfigObject entry, PluginArguments arguments)
    {
        var args = entry.Object("args");
        args.Inert("apiVersion");
        if (args.String("kind", plugin + "Args") is var kind && kind != plugin + "Args")
        {
            throw args.Wrong("args.kind", $"is \"{kind}\", expected {plugin}Args");
        }

        return plugin switch
        {
            "NodeResourcesFit" => Fit(args, arguments),
            "NodeResourcesBalancedAllocation" => arguments with { BalancedResources = Resources(args, 1) },
            "InterPodAffinity" => arguments with
            {
                HardPodAffinityWeight = args.Int("hardPodAffinityWeight", 1, 0, 100),
                IgnorePreferredTermsOfExistingPods = args.Bool("ignorePreferredTermsOfExistingPods"),
            },
            "PodTopologySpread" => Spread(args, arguments),
            "NodeAffinity" => arguments with { AddedAffinity = Decode<ApiNodeAffinity>(args, "addedAffinity") },
            "VolumeBinding" => Volumes(args, arguments),
            "DefaultPreemption" => Preemption(args, arguments),
            "DynamicResources" => Devices(args, arguments),
            _ => throw entry.Wrong("name", $"is \"{plugin}\", which takes no arguments"),
        };
    }

    private static PluginArguments Fit(ConfigObject args, PluginArguments arguments)
    {
        var ignored = new HashSet<string>(args.Strings("ignoredResources").Concat(args.Strings("ignoredResourceGroups")), StringComparer.Ordinal);
        if (!args.Has("scoringStrategy"))
        {
            return arguments with { IgnoredResources = ignored };
        }

        var strategy = args.Object("scoringStrategy");
        var type = strategy.String("type", nameof(ScoringType.LeastAllocated)) switch
        {
            nameof(ScoringType.LeastAllocated) => ScoringType.LeastAllocated,
            nameof(ScoringType.MostAllocated) => ScoringType.MostAllocated,
            nameof(ScoringType.RequestedToCapacityRatio) => ScoringType.RequestedToCapacityRatio,
            var other => throw strategy.Wrong("scoringStrategy.type", $"is \"{other}\"; it can be LeastAllocated, MostAllocated or RequestedToCapacityRatio"),
        };
        var shape = Shape(strategy.Object("requestedToCapacityRatio"), type == ScoringType.RequestedToCapacityRatio);
        return arguments with { IgnoredResources = ignored, Fit = new ScoringStrategy(type, Resources(strategy, 100)) { Shape = shape } };
    }

    /// <summary>Percentages must rise; scores are up to 10 in the file and up to 100 inside.</summary>
    private static List<(int, int)> Shape(ConfigObject ratio, bool needed)
    {
        var shape = ratio.Objects("shape").ConvertAll(p => (Utilization: p.Int("utilization", 0, 0, 100), Score: p.Int("score", 0, 0, 10) * 10));
        if (needed && shape.Count == 0)
        {
            throw ratio.Wrong("requestedToCapacityRatio.shape", "must have at least one point");
        }

        for (var i = 1; i < shape.Count; i++)
        {
            if (shape[i].Utilization <= shape[i - 1].Utilization)
            {
                throw ratio.Wrong($"requestedToCapacityRatio.shape[{i}].utilization", "must be greater than that of the point before");
            }
        }

        return shape;
    }

    private static PluginArguments Spread(ConfigObject args, PluginArguments arguments)
    {
        var constraints = args.Objects("defaultConstraints").ConvertAll(Constraint);
        return args.String("defaultingType", "System") switch
        {
            "System" when constraints.Count == 0 => arguments with { SpreadDefaults = null },
            "System" => throw args.Wrong("args.defaultingType", "must be List when there are defaultConstraints"),
            "List" => arguments with { SpreadDefaults = constraints },
            var other => throw args.Wrong("args.defaultingType", $"is \"{other}\"; it can be System or List"),
        };
    }

    private static TopologySpreadConstraint Constraint(ConfigObject entry)
    {
        var constraint = new TopologySpreadConstraint
        {
            MaxSkew = entry.Int("maxSkew", 0, 1),
            TopologyKey = entry.String("topologyKey"),
            WhenUnsatisfiable = entry.String("whenUnsatisfiable"),
        };
        if (entry.Has("labelSelector"))
        {
            throw entry.Wrong("labelSelector", "may not be given: it comes from the Pod's Services and owner");
        }

        return constraint.TopologyKey.Length == 0 ? throw entry.Wrong("topologyKey", "must be given")
            : constraint.WhenUnsatisfiable is "DoNotSchedule" or "ScheduleAnyway" ? constraint
            : throw entry.Wrong("whenUnsatisfiable", $"is \"{constraint.WhenUnsatisfiable}\"; it can be DoNotSchedule or ScheduleAnyway");
    }

    private static PluginArguments Volumes(ConfigObject args, PluginArguments arguments)
    {
        args.Inert("shape");
        return arguments with { VolumeBindTimeout = TimeSpan.FromSeconds(args.Int("bindTimeoutSeconds", 600, 0)) };
    }

    private static PluginArguments Preemption(ConfigObject args, PluginArguments arguments)
    {
        var (percentage, absolute) = (args.Int("minCandidateNodesPercentage", 10, 0, 100), args.Int("minCandidateNodesAbsolute", 100, 0));
        return percentage + absolute > 0 ? arguments with { MinCandidateNodesPercentage = percentage, MinCandidateNodesAbsolute = absolute }
            : throw args.Wrong("minCandidateNodesPercentage", "and minCandidateNodesAbsolute cannot both be 0");
    }

    private static PluginArguments Devices(ConfigObject args, PluginArguments arguments)
    {
        args.Inert("filterTimeout", "bindingTimeout");
        return arguments;
    }

    private static IReadOnlyList<(string, int)> Resources(ConfigObject section, int maxWeight)
    {
        var resources = section.Objects("resources").ConvertAll(r => (Name: r.String("name"), Weight: r.Int("weight", 1, 1, maxWeight)));
        return resources.Exists(r => r.Name.Length == 0) ? throw section.Wrong("resources", "has one without a name") : resources.Count > 0 ? resources : ScoringStrategy.DefaultResources;
    }

    private static T? Decode<T>(ConfigObject section, string field) where T : ApiStruct, IApiType<T>, new()
    {
        if (section.Json(field) is not { } json)
        {
            return null;
        }

        try
        {
            var report = new DecodeReport();
            var value = ApiJson.Deserialize<T>(json, report);
            return report.IsEmpty ? value : throw section.Wrong(field, $"has unknown or repeated fields: {string.Join(", ", report.Unknown.Concat(report.Duplicate))}");
        }
        catch (ApiDecodeException e)
        {
            throw section.Wrong(field, e.Message, e);
        }
    }
}
