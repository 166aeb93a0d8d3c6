using Hardway.Hosting;
using Hardway.Scheduler.Configuration;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Plugins.NodeResources;

namespace Hardway.Scheduler.Tests;

public sealed class SchedulerConfigTests
{
    private const string Head = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";

    [Fact]
    public void The_tutorials_file_works()
    {
        var config = SchedulerConfigReader.Read("f", Head + """
            clientConnection:
              kubeconfig: "/var/lib/kubernetes/kube-scheduler.kubeconfig"
            leaderElection:
              leaderElect: true
            """);

        Assert.Equal("/var/lib/kubernetes/kube-scheduler.kubeconfig", config.Kubeconfig);
        Assert.Equal((true, "kube-scheduler", "kube-system"), (config.LeaderElection.LeaderElect, config.LeaderElection.ResourceName, config.LeaderElection.ResourceNamespace));
        Assert.Equal("default-scheduler", Assert.Single(config.Profiles).SchedulerName);
    }

    [Fact]
    public void Profiles_change_plugins_weights_and_arguments()
    {
        var config = SchedulerConfigReader.Read("f", Head + """
            profiles:
            - schedulerName: packed
              plugins:
                score: {disabled: [{name: ImageLocality}], enabled: [{name: NodeAffinity, weight: 7}]}
                multiPoint: {disabled: [{name: DefaultPreemption}]}
              pluginConfig:
              - name: NodeResourcesFit
                args: {scoringStrategy: {type: MostAllocated, resources: [{name: cpu, weight: 3}]}}
            """);

        var profile = Assert.Single(config.Profiles);
        var made = PluginTable.Make(profile, new PluginServices(new RecordingWriter(), _ => new RecordingBinder(), new NoClaims(), new Random(1)));
        Assert.Equal(ScoringType.MostAllocated, profile.Arguments.Fit.Type);
        Assert.Equal([("cpu", 3)], profile.Arguments.Fit.Resources);
        Assert.Empty(made.PostFilters);
        Assert.DoesNotContain(made.Scores, s => s.Plugin.Name == "ImageLocality");
        Assert.Contains(made.Scores, s => s.Plugin.Name == "NodeAffinity" && s.Weight == 7);
    }

    [Fact]
    public void A_point_can_be_emptied_and_filled_in_another_order()
    {
        var profile = Assert.Single(SchedulerConfigReader.Read("f", Head + """
            profiles:
            - plugins:
                multiPoint: {enabled: [{name: ImageLocality, weight: 9}]}
                score: {disabled: [{name: "*"}], enabled: [{name: ImageLocality}, {name: NodeAffinity, weight: 4}]}
                filter: {disabled: [{name: NodePorts}], enabled: [{name: PodTopologySpread}]}
            """).Profiles);
        var points = PluginTable.Resolve(profile);

        Assert.Equal([("ImageLocality", 1), ("NodeAffinity", 4)], points[ExtensionPoint.Score]);
        Assert.Equal("PodTopologySpread", points[ExtensionPoint.Filter][0].Name);
        Assert.DoesNotContain(points[ExtensionPoint.Filter], p => p.Name == "NodePorts");
        Assert.Contains(points[ExtensionPoint.PreFilter], p => p.Name == "NodePorts");
        Assert.Contains(points[ExtensionPoint.PreScore], p => p.Name == "ImageLocality");
    }

    [Fact]
    public void Extenders_are_read_and_their_resources_are_left_to_them()
    {
        var config = SchedulerConfigReader.Read("f", Head + """
            extenders:
            - urlPrefix: http://127.0.0.1:8888/scheduler/
              filterVerb: filter
              prioritizeVerb: prioritize
              weight: 5
              httpTimeout: 3s
              nodeCacheCapable: true
              ignorable: true
              managedResources: [{name: example.com/gpu, ignoredByScheduler: true}]
            """);

        var extender = Assert.Single(config.Extenders);
        Assert.Equal(("filter", 5, TimeSpan.FromSeconds(3), true, true), (extender.FilterVerb, extender.Weight, extender.Timeout, extender.NodeCacheCapable, extender.Ignorable));
        Assert.Contains("example.com/gpu", config.Profiles[0].Arguments.IgnoredResources);
    }

    [Theory]
    [InlineData("leaderElect: true\n", "leaderElect is unknown")]
    [InlineData("leaderElection: {leaseDuration: 5s, renewDeadline: 10s}\n", "must be longer than the renew deadline")]
    [InlineData("profiles: [{plugins: {score: {enabled: [{name: Nonsense}]}}}]\n", "\"Nonsense\", which is no plugin")]
    [InlineData("profiles: [{schedulerName: a}, {schedulerName: a}]\n", "schedulerName a twice")]
    [InlineData("extenders: [{urlPrefix: x}]\n", "not an http or https URL")]
    [InlineData("podInitialBackoffSeconds: 20\n", "less than podInitialBackoffSeconds")]
    [InlineData("profiles: [{plugins: {filter: {enabled: [{name: ImageLocality}]}}}]\n", "does not implement Filter")]
    [InlineData("profiles: [{plugins: {bind: {disabled: [{name: '*'}]}}}]\n", "at least one plugin enabled")]
    [InlineData("profiles: [{pluginConfig: [{name: PodTopologySpread, args: {defaultConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: Sometimes}], defaultingType: List}}]}]\n", "is \"Sometimes\"")]
    [InlineData("profiles: [{pluginConfig: [{name: NodeResourcesFit, args: {scoringStrategy: {type: RequestedToCapacityRatio}}}]}]\n", "at least one point")]
    [InlineData("profiles: [{pluginConfig: [{name: NodeAffinity, args: {addedAffinity: {podAffinity: {}}}}]}]\n", "unknown or repeated fields: podAffinity")]
    [InlineData("profiles: [{pluginConfig: [{name: InterPodAffinity, args: {hardPodAffinityWeight: 101}}]}]\n", "not between 0 and 100")]
    public void What_is_wrong_is_one_line(string yaml, string expected) =>
        Assert.Contains(expected, Assert.Throws<ComponentException>(() => SchedulerConfigReader.Read("f", Head + yaml)).Message);
}
