using Hardway.Hosting;
using Hardway.Scheduler.Configuration;
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
        var made = PluginTable.Make(profile, null!);
        Assert.Equal(ScoringStrategy.MostAllocated, profile.FitStrategy);
        Assert.Null(made.PostFilter);
        Assert.DoesNotContain(made.Scores, s => s.Plugin.Name == "ImageLocality");
        Assert.Contains(made.Scores, s => s.Plugin.Name == "NodeAffinity" && s.Weight == 7);
    }

    [Theory]
    [InlineData("leaderElect: true\n", "leaderElect is unknown")]
    [InlineData("leaderElection: {leaseDuration: 5s, renewDeadline: 10s}\n", "must be longer than the renew deadline")]
    [InlineData("profiles: [{plugins: {score: {enabled: [{name: Nonsense}]}}}]\n", "\"Nonsense\", which is no plugin")]
    [InlineData("profiles: [{schedulerName: a}, {schedulerName: a}]\n", "schedulerName a twice")]
    [InlineData("extenders: [{urlPrefix: x}]\n", "extenders are not supported")]
    public void What_is_wrong_is_one_line(string yaml, string expected) =>
        Assert.Contains(expected, Assert.Throws<ComponentException>(() => SchedulerConfigReader.Read("f", Head + yaml)).Message);
}
