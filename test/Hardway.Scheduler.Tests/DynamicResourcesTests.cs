using Hardway.Api.Resource.V1;
using Hardway.Scheduler.Configuration;
using Hardway.Scheduler.Framework;
using Hardway.Scheduler.Plugins.DynamicResources;
using Hardway.Scheduler.Scheduling;
using Hardway.Scheduler.State;
using static Hardway.Scheduler.Tests.Samples;
using ResourceClaim = Hardway.Api.Resource.V1.ResourceClaim;

namespace Hardway.Scheduler.Tests;

/// <summary>Devices on two nodes: which node has what a claim asks for, and what is written to the claim.</summary>
public sealed class DynamicResourcesTests
{
    private const string Spec = "{resourceClaims: [{name: c, resourceClaimName: claim}]}";
    private readonly FakeListers _listers = new();
    private readonly ClusterState _state;
    private readonly RecordingClaims _written = new();
    private readonly Profile _profile;
    private readonly SchedulingAlgorithm _algorithm = new(0, new Random(1));

    private sealed class RecordingClaims : IClaimWriter
    {
        public Dictionary<string, AllocationResult?> Given { get; } = [];

        public Task ReserveAsync(ResourceClaim claim, AllocationResult? allocation, PodInfo pod, CancellationToken cancel)
        {
            Given[claim.Metadata.Name] = allocation;
            return Task.CompletedTask;
        }
    }

    public DynamicResourcesTests()
    {
        _state = new ClusterState(_listers);
        _profile = PluginTable.Make(new ProfileConfig(), new PluginServices(new RecordingWriter(), _ => new RecordingBinder(), _written, new Random(1)));
        _state.SetNode(Node("node-0"));
        _state.SetNode(Node("node-1"));
        _listers.Add(
            Read<DeviceClass>("""
                metadata: {name: gpu}
                spec: {selectors: [{cel: {expression: "device.driver == 'gpu.example.com'"}}]}
                """),
            Slice("node-0", "[{name: g0, attributes: {model: {string: small}, numa: {int: 0}}, capacity: {memory: {value: 8Gi}}}]"),
            Slice("node-1", "[{name: g0, attributes: {model: {string: big}, numa: {int: 0}}, capacity: {memory: {value: 80Gi}}}, {name: g1, attributes: {model: {string: big}, numa: {int: 1}}, capacity: {memory: {value: 80Gi}}}]"));
    }

    private static ResourceSlice Slice(string node, string devices, string more = "") =>
        Read<ResourceSlice>($"metadata: {{name: slice-{node}}}\nspec: {{driver: gpu.example.com, pool: {{name: {node}, generation: 1, resourceSliceCount: 1}}, nodeName: {node}, devices: {devices}{more}}}");

    private static ResourceClaim Claim(string request, string more = "", string name = "claim") =>
        Read<ResourceClaim>($"metadata: {{name: {name}, namespace: default, uid: uid-{name}}}\nspec: {{devices: {{requests: [{{name: r, {request}}}]{more}}}}}");

    private string Where(PodInfo pod) => string.Join(' ', _algorithm.Filter(_profile, pod, _state).Nodes.Select(n => n.Name).Order());

    private string Why(PodInfo pod)
    {
        var found = _algorithm.Filter(_profile, pod, _state);
        return FitError.Message(found.Cycle.Nodes.Length, found.PreFilter, found.Refusals, "");
    }

    private async Task PlaceAsync(PodInfo pod, string node)
    {
        var found = _algorithm.Filter(_profile, pod, _state);
        Assert.All(_profile.Reserves, r => Assert.Null(r.Reserve(found.Cycle, _state.Node(node)!)));
        foreach (var step in _profile.PreBinds)
        {
            Assert.Null(await step.PreBindAsync(pod.On(node), node, TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("exactly: {deviceClassName: gpu}", "", "node-0 node-1")]
    [InlineData("exactly: {deviceClassName: gpu, count: 2}", "", "node-1")]
    [InlineData("exactly: {deviceClassName: gpu, selectors: [{cel: {expression: \"device.attributes['gpu.example.com'].model == 'small'\"}}]}", "", "node-0")]
    [InlineData("exactly: {deviceClassName: gpu, selectors: [{cel: {expression: \"device.capacity['gpu.example.com'].memory.compareTo(quantity('40Gi')) >= 0\"}}]}", "", "node-1")]
    [InlineData("exactly: {deviceClassName: gpu, count: 2}", ", constraints: [{matchAttribute: gpu.example.com/numa}]", "")]
    [InlineData("exactly: {deviceClassName: gpu, count: 2}", ", constraints: [{matchAttribute: gpu.example.com/model}]", "node-1")]
    [InlineData("firstAvailable: [{name: many, deviceClassName: gpu, count: 3}, {name: one, deviceClassName: gpu, count: 1}]", "", "node-0 node-1")]
    [InlineData("exactly: {deviceClassName: gpu, allocationMode: All}", "", "node-0 node-1")]
    public void A_node_is_feasible_where_its_devices_satisfy_the_claim(string request, string more, string nodes)
    {
        _listers.Add(Claim(request, more));

        Assert.Equal(nodes, Where(Pod("a", Spec)));
    }

    [Fact]
    public async Task Devices_that_were_given_are_gone_for_others_and_the_claim_ties_its_users_to_the_node()
    {
        _listers.Add(Claim("exactly: {deviceClassName: gpu, count: 2}"), Claim("exactly: {deviceClassName: gpu}", name: "second"));
        await PlaceAsync(Pod("a", Spec), "node-1");
        var given = _written.Given["claim"]!;
        Assert.Equal(["r:node-1/g0", "r:node-1/g1"], given.Devices.Results!.Select(r => $"{r.Request}:{r.Pool}/{r.Device}"));
        Assert.Equal("node-0", Where(Pod("b", "{resourceClaims: [{name: c, resourceClaimName: second}]}"))); // before the claim is seen with them

        var claim = Claim("exactly: {deviceClassName: gpu, count: 2}");
        claim.Status.Allocation = given;
        _listers.Replace(claim);
        Assert.Equal("node-0", Where(Pod("b", "{resourceClaims: [{name: c, resourceClaimName: second}]}")));
        Assert.Equal("node-1", Where(Pod("c", Spec)));
    }

    [Fact]
    public void Taints_of_devices_and_shared_counters_keep_them()
    {
        _listers.Replace(Slice("node-0", "[{name: g0, taints: [{key: broken, effect: NoSchedule}]}]"));
        _listers.Replace(Slice("node-1", "[{name: a, consumesCounters: [{counterSet: s, counters: {mem: {value: '1'}}}]}, {name: b, consumesCounters: [{counterSet: s, counters: {mem: {value: '1'}}}]}]", ", sharedCounters: [{name: s, counters: {mem: {value: '1'}}}]"));
        _listers.Add(Claim("exactly: {deviceClassName: gpu}"));
        Assert.Equal("node-1", Where(Pod("a", Spec)));

        _listers.Replace(Claim("exactly: {deviceClassName: gpu, count: 2}"));
        Assert.Equal("0/2 nodes are available: 2 cannot allocate all claims.", Why(Pod("a", Spec)));
        _listers.Replace(Claim("exactly: {deviceClassName: gpu, tolerations: [{key: broken, operator: Exists}]}"));
        Assert.Equal("node-0 node-1", Where(Pod("a", Spec)));
    }

    [Fact]
    public void A_pool_with_missing_slices_and_a_missing_class_give_nothing()
    {
        _listers.Add(Claim("exactly: {deviceClassName: gpu}"));
        var half = Slice("node-0", "[{name: g0}]");
        half.Spec.Pool.ResourceSliceCount = 2;
        _listers.Replace(half);
        Assert.Equal("node-1", Where(Pod("a", Spec)));

        _listers.Replace(Claim("exactly: {deviceClassName: fpga}"));
        Assert.Equal("0/2 nodes are available: request r: device class fpga does not exist.", Why(Pod("a", Spec)));
    }
}
