using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Storage.V1;
using Hardway.Scheduler.Configuration;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Scheduling;
using Hardway.Scheduler.State;
using static Hardway.Scheduler.Tests.Samples;

namespace Hardway.Scheduler.Tests;

/// <summary>Volumes on two nodes in two zones: where a Pod with claims can go, and what is chosen for the claims.</summary>
public sealed class VolumePluginTests
{
    private const string OneClaim = "{volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]}";
    private readonly FakeListers _listers = new();
    private readonly ClusterState _state;
    private readonly RecordingBinder _binder = new();
    private readonly Profile _profile;
    private readonly SchedulingAlgorithm _algorithm = new(0, new Random(1));

    public VolumePluginTests()
    {
        _state = new ClusterState(_listers);
        _profile = PluginTable.Make(new ProfileConfig(), new PluginServices(new RecordingWriter(), _ => _binder, new NoClaims(), new Random(1)));
        _state.SetNode(Node("node-0"));
        _state.SetNode(Node("node-1"));
    }

    private static PersistentVolumeClaim Claim(string name, string @class = "local", string more = "", string mode = "ReadWriteOnce", string annotations = "{}") =>
        Read<PersistentVolumeClaim>($"metadata: {{name: {name}, namespace: default, uid: uid-{name}, annotations: {annotations}}}\nspec: {{accessModes: [{mode}], resources: {{requests: {{storage: 1Gi}}}}, storageClassName: {@class}{more}}}");

    private static PersistentVolumeClaim Bound(string name, string volume, string mode = "ReadWriteOnce") =>
        Claim(name, more: $", volumeName: {volume}", mode: mode, annotations: "{pv.kubernetes.io/bind-completed: 'yes'}");

    private static PersistentVolume Volume(string name, string more = "", string labels = "{}") =>
        Read<PersistentVolume>($"metadata: {{name: {name}, labels: {labels}}}\nspec: {{storageClassName: local, capacity: {{storage: 2Gi}}, accessModes: [ReadWriteOnce]{more}}}\nstatus: {{phase: Available}}");

    private Feasibility Filter(PodInfo pod) => _algorithm.Filter(_profile, pod, _state);

    private string Where(PodInfo pod) => string.Join(' ', Filter(pod).Nodes.Select(n => n.Name).Order());

    private string Why(PodInfo pod)
    {
        var found = Filter(pod);
        return FitError.Message(found.Cycle.Nodes.Length, found.PreFilter, found.Refusals, "");
    }

    private void Class(string mode, string provisioner = "kubernetes.io/no-provisioner", string more = "") =>
        _listers.Add(Read<StorageClass>($"metadata: {{name: local}}\nprovisioner: {provisioner}\nvolumeBindingMode: {mode}{more}"));

    [Fact]
    public void A_labelled_volume_keeps_its_pod_in_the_zone()
    {
        _listers.Add(Bound("data", "pv"), Volume("pv", labels: "{topology.kubernetes.io/zone: z-node-1__z-other}"));

        Assert.Equal("node-1", Where(Pod("a", OneClaim)));
        Assert.Equal("node(s) had no available volume zone", Filter(Pod("a", OneClaim)).Refusals["node-0"]!.Message);
    }

    [Fact]
    public void A_claim_for_one_pod_is_refused_while_another_has_it()
    {
        _listers.Add(Bound("data", "pv", "ReadWriteOncePod"), Volume("pv"));
        Assert.Equal("node-0 node-1", Where(Pod("a", OneClaim)));
        _state.SetPod(Pod("first", OneClaim, node: "node-0"));

        Assert.Contains("2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode", Why(Pod("a", OneClaim)));
    }

    [Fact]
    public void A_disk_that_somebody_writes_is_on_a_node_once()
    {
        const string Disk = "{volumes: [{name: v, gcePersistentDisk: {pdName: disk}}]}";
        _state.SetPod(Pod("first", Disk, node: "node-0"));

        Assert.Equal("node-1", Where(Pod("a", Disk)));
    }

    [Fact]
    public void A_node_takes_as_many_volumes_as_its_driver_can_attach()
    {
        _listers.Add(
            Read<CSINode>("metadata: {name: node-0}\nspec: {drivers: [{name: csi.example.com, nodeID: id-0, topologyKeys: [], allocatable: {count: 1}}]}"),
            Bound("other", "pv-other"), Bound("data", "pv"),
            Volume("pv-other", ", csi: {driver: csi.example.com, volumeHandle: h1}"), Volume("pv", ", csi: {driver: csi.example.com, volumeHandle: h2}"));
        _state.SetPod(Pod("first", "{volumes: [{name: v, persistentVolumeClaim: {claimName: other}}]}", node: "node-0"));

        Assert.Equal("node-1", Where(Pod("a", OneClaim)));
        Assert.Equal("node-0 node-1", Where(Pod("b", "{volumes: [{name: v, persistentVolumeClaim: {claimName: other}}]}"))); // the same volume counts once
    }

    [Fact]
    public void Two_claims_need_two_volumes_and_what_is_reserved_is_gone()
    {
        Class("WaitForFirstConsumer");
        _listers.Add(Claim("data"), Claim("more"), Volume("pv"));
        const string Both = "{volumes: [{name: v, persistentVolumeClaim: {claimName: data}}, {name: w, persistentVolumeClaim: {claimName: more}}]}";
        Assert.Contains("didn't find available persistent volumes to bind", Why(Pod("a", Both)));

        _listers.Add(Volume("pv-2"));
        var found = Filter(Pod("a", Both));
        var assumed = found.Cycle.Pod.On("node-0");
        Assert.All(_profile.Reserves, r => Assert.Null(r.Reserve(found.Cycle, _state.Node("node-0")!)));
        Assert.Contains("didn't find available persistent volumes to bind", Why(Pod("b", OneClaim)));
        foreach (var plugin in _profile.Reserves)
        {
            plugin.Unreserve(assumed);
        }

        Assert.Equal("node-0 node-1", Where(Pod("b", OneClaim)));
    }

    [Fact]
    public async Task The_choice_is_written_before_the_binding()
    {
        Class("WaitForFirstConsumer", "csi.example.com");
        _listers.Add(Claim("data"));
        var found = Filter(Pod("a", OneClaim));
        Assert.All(_profile.Reserves, r => Assert.Null(r.Reserve(found.Cycle, _state.Node("node-1")!)));
        foreach (var step in _profile.PreBinds)
        {
            Assert.Null(await step.PreBindAsync(found.Cycle.Pod.On("node-1"), "node-1", TestContext.Current.CancellationToken));
        }

        Assert.Equal(["data=node-1"], _binder.Choices);
    }

    [Fact]
    public void A_provisioner_makes_volumes_where_its_class_allows_and_has_room()
    {
        Class("WaitForFirstConsumer", "csi.example.com", "\nallowedTopologies: [{matchLabelExpressions: [{key: topology.kubernetes.io/zone, values: [z-node-1]}]}]");
        _listers.Add(Claim("data"));
        Assert.Equal("node-1", Where(Pod("a", OneClaim)));

        _listers.Add(
            Read<CSIDriver>("metadata: {name: csi.example.com}\nspec: {storageCapacity: true}"),
            Read<CSIStorageCapacity>("metadata: {name: c, namespace: x}\nstorageClassName: local\ncapacity: 500Mi\nnodeTopology: {matchLabels: {topology.kubernetes.io/zone: z-node-1}}"));
        Assert.Contains("1 node(s) did not have enough free storage", Why(Pod("a", OneClaim)));
    }
}
