using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Policy.V1;
using Hardway.Api.Storage.V1;
using Hardway.Scheduler.Configuration;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Scheduling;
using Hardway.Scheduler.State;
using static Hardway.Scheduler.Tests.Samples;

namespace Hardway.Scheduler.Tests;

/// <summary>The default profile on a small cluster: which node, or which words why not.</summary>
public sealed class SchedulingTests
{
    private readonly FakeListers _listers = new();
    private readonly ClusterState _state;
    private readonly Profile _profile = Profile(new ProfileConfig());
    private readonly SchedulingAlgorithm _algorithm = new(0, new Random(1));

    public SchedulingTests()
    {
        _state = new ClusterState(_listers);
        Add(Node("node-0"), Node("node-1"));
    }

    private static Profile Profile(ProfileConfig config) => PluginTable.Make(config, new PluginServices(new RecordingWriter(), _ => new RecordingBinder(), new NoClaims(), new Random(1)));

    private void Add(params Node[] nodes) => Array.ForEach(nodes, _state.SetNode);

    private void Running(params PodInfo[] pods) => Array.ForEach(pods, _state.SetPod);

    private string? Place(PodInfo pod, Profile? profile = null)
    {
        var found = _algorithm.Filter(profile ?? _profile, pod, _state);
        return found.Nodes.Count == 0 ? null : _algorithm.Choose(found.Cycle, found.Nodes).Name;
    }

    private string Why(PodInfo pod)
    {
        var found = _algorithm.Filter(_profile, pod, _state);
        Assert.Empty(found.Nodes);
        var room = found.Cycle.Nodes.Length == 0 ? null : _profile.PostFilters[0].PostFilter(found.Cycle, found.Refusals);
        return room?.Node is { } node ? $"{node}: {string.Join(' ', room.Victims)}"
            : FitError.Message(found.Cycle.Nodes.Length, found.PreFilter, found.Refusals, room?.Message ?? "");
    }

    [Fact]
    public void The_emptier_node_is_chosen()
    {
        Running(Pod("a", cpu: "2", node: "node-0", labels: "{}"));

        Assert.Equal("node-1", Place(Pod("b", labels: "{}")));
    }

    [Fact]
    public void Replicas_are_spread_by_default()
    {
        _listers.Default = Selector.Parse("app=web");
        Add(Node("node-0", cpu: "64", memory: "256Gi"));
        Running(Pod("a", node: "node-0"));

        Assert.Equal("node-1", Place(Pod("b")));
    }

    [Fact]
    public void Without_nodes_the_message_says_so()
    {
        _state.RemoveNode("node-0");
        _state.RemoveNode("node-1");

        Assert.Equal("no nodes available to schedule pods", Why(Pod("a")));
    }

    [Fact]
    public void What_does_not_fit_is_told_in_upstreams_words()
    {
        Add(Node("node-1", more: "{taints: [{key: dedicated, effect: NoSchedule}]}"));

        Assert.Equal(
            "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
            Why(Pod("a", cpu: "5")));
    }

    [Fact]
    public void Full_nodes_without_lesser_pods_offer_no_victims()
    {
        Running(Pod("one", cpu: "4", node: "node-0"), Pod("two", cpu: "4", node: "node-1"));

        Assert.Equal(
            "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.",
            Why(Pod("a")));
    }

    [Theory]
    [InlineData("{nodeName: node-1}", "node-1")]
    [InlineData("{nodeSelector: {kubernetes.io/hostname: node-0}}", "node-0")]
    [InlineData("{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: [node-1]}]}]}}}}", "node-1")]
    [InlineData("{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: NotIn, values: [node-1]}]}]}}}}", "node-0")]
    [InlineData("{affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 10, preference: {matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node-0]}]}}]}}}", "node-0")]
    public void Node_selection_is_followed(string spec, string node) => Assert.Equal(node, Place(Pod("a", spec)));

    [Fact]
    public void Tolerations_open_tainted_and_cordoned_nodes()
    {
        Add(Node("node-0", more: "{taints: [{key: gpu, value: 'yes', effect: NoSchedule}]}"), Node("node-1", more: "{unschedulable: true}"));

        Assert.Equal("node-0", Place(Pod("a", "{tolerations: [{key: gpu, operator: Equal, value: 'yes', effect: NoSchedule}]}")));
        Assert.Equal("node-1", Place(Pod("b", "{tolerations: [{key: node.kubernetes.io/unschedulable, operator: Exists}]}")));
        Assert.Contains("1 node(s) were unschedulable", Why(Pod("c")));
    }

    [Fact]
    public void A_preferred_taint_only_costs_score()
    {
        Add(Node("node-0", more: "{taints: [{key: gpu, effect: PreferNoSchedule}]}"));

        Assert.Equal("node-1", Place(Pod("a")));
    }

    [Fact]
    public void Host_ports_collide()
    {
        const string Spec = "{containers: [{name: c, image: x, ports: [{containerPort: 80, hostPort: 8080}]}]}";
        Running(Pod("a", Spec, node: "node-0"), Pod("b", Spec, node: "node-1"));

        Assert.StartsWith("0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports.", Why(Pod("c", Spec)));
    }

    [Fact]
    public void Hard_spreading_keeps_the_skew()
    {
        const string Spec = "{topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}]}";
        Add(Node("node-0", cpu: "64"), Node("node-1", cpu: "1"));
        Running(Pod("a", Spec, node: "node-0"));

        Assert.Equal("node-1", Place(Pod("b", Spec)));
        Assert.Contains("didn't match pod topology spread constraints", Why(Pod("c", Spec, cpu: "2")));
    }

    [Fact]
    public void Affinity_joins_and_anti_affinity_parts()
    {
        static string Affinity(string kind, string app) =>
            $"{{affinity: {{{kind}: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: kubernetes.io/hostname, labelSelector: {{matchLabels: {{app: {app}}}}}}}]}}}}}}";
        Running(Pod("db", labels: "{app: db}", node: "node-1"), Pod("lonely", Affinity("podAntiAffinity", "noisy"), "{app: quiet}", node: "node-0"));

        Assert.Equal("node-1", Place(Pod("a", Affinity("podAffinity", "db"))));
        Assert.Equal("node-0", Place(Pod("b", Affinity("podAntiAffinity", "db"))));
        Assert.Equal("node-1", Place(Pod("c", labels: "{app: noisy}"))); // whom the running Pod does not want
        Assert.NotNull(Place(Pod("d", Affinity("podAffinity", "self"), "{app: self}"))); // the first of its group
        Assert.StartsWith("0/2 nodes are available: 2 node(s) didn't match pod affinity rules.", Why(Pod("e", Affinity("podAffinity", "nobody"))));
    }

    [Fact]
    public void Images_that_are_present_draw()
    {
        var node = Node("node-1");
        node.Status.Images = [new ContainerImage { Names = ["docker.io/library/nginx:latest"], SizeBytes = 900 << 20 }];
        Add(node);

        Assert.Equal("node-1", Place(Pod("a")));
    }

    [Fact]
    public void The_least_important_victims_are_taken_and_budgets_are_spared()
    {
        Running(
            Pod("low", "{priority: 1}", cpu: "4", node: "node-0"),
            Pod("guarded", "{priority: 1}", "{app: guarded}", cpu: "4", node: "node-1"));
        _listers.Add(Read<PodDisruptionBudget>("metadata: {name: b, namespace: default}\nspec: {selector: {matchLabels: {app: guarded}}}\nstatus: {disruptionsAllowed: 0}"));

        Assert.Equal("node-0: default/low", Why(Pod("high", "{priority: 10}", cpu: "2")));
        Assert.Contains("preemptionPolicy=Never", Why(Pod("polite", "{priority: 10, preemptionPolicy: Never}", cpu: "2")));
    }

    [Fact]
    public void What_stays_missing_without_the_victims_is_the_reason_against_preemption()
    {
        Running(Pod("low", "{priority: 1}", cpu: "1", node: "node-0"), Pod("equal", "{priority: 10}", cpu: "3", node: "node-0"));

        Assert.Equal(
            "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). preemption: 0/2 nodes are available: 1 Insufficient cpu, 1 Preemption is not helpful for scheduling.",
            WhyWithTaint(Pod("high", "{priority: 10}", cpu: "2")));
    }

    private string WhyWithTaint(PodInfo pod)
    {
        Add(Node("node-1", more: "{taints: [{key: dedicated, effect: NoSchedule}]}"));
        return Why(pod);
    }

    [Fact]
    public void A_nominated_pod_keeps_its_room()
    {
        _state.RemoveNode("node-1");
        _state.Nominated.Set(Pod("first", "{priority: 10}", cpu: "3"), "node-0");

        Assert.Contains("Insufficient cpu", Why(Pod("second", cpu: "2")));
        Assert.Equal("node-0", Place(Pod("vip", "{priority: 20}", cpu: "2")));
    }

    [Fact]
    public void Claims_decide_by_their_volume_or_wait_for_it()
    {
        const string Spec = "{volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]}";
        Assert.StartsWith("0/2 nodes are available: persistentvolumeclaim \"data\" not found.", Why(Pod("a", Spec)));

        _listers.Add(Read<PersistentVolumeClaim>("metadata: {name: data, namespace: default}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, storageClassName: local}"));
        Assert.StartsWith("0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.", Why(Pod("a", Spec)));

        _listers.Add(Read<StorageClass>("metadata: {name: local}\nprovisioner: kubernetes.io/no-provisioner\nvolumeBindingMode: WaitForFirstConsumer"));
        Assert.Contains("2 node(s) didn't find available persistent volumes to bind", Why(Pod("a", Spec)));

        _listers.Add(Read<PersistentVolume>("metadata: {name: pv}\nspec: {storageClassName: local, capacity: {storage: 2Gi}, accessModes: [ReadWriteOnce], nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node-1]}]}]}}}\nstatus: {phase: Available}"));
        Assert.Equal("node-1", Place(Pod("a", Spec)));
    }

    [Fact]
    public void Requests_of_init_containers_sidecars_and_overhead_count_as_they_run()
    {
        var pod = Pod("a", """
            {overhead: {cpu: 10m}, containers: [{name: c, resources: {requests: {cpu: 100m}}}],
             initContainers: [{name: s, restartPolicy: Always, resources: {requests: {cpu: 50m}}}, {name: i, resources: {requests: {cpu: 300m}}}]}
            """);

        Assert.Equal(360, pod.Requests.MilliCpu);
    }

    [Fact]
    public void A_removed_pod_gives_back_everything()
    {
        Running(Pod("a", cpu: "3", node: "node-0"));
        _state.RemovePod("default/a");

        Assert.Equal((0, 0, 0), (_state.Node("node-0")!.Requested.MilliCpu, _state.Node("node-0")!.NonZeroMemory, _state.Node("node-0")!.Pods.Count));
    }
}
