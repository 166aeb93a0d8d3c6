using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Kubelet.Volumes;

namespace Hardway.Kubelet.Tests.Volumes;

public sealed class NodeSelectionTests
{
    [Theory]
    [InlineData("nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [a, b]}]}]", true)]
    [InlineData("nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [b]}]}, {matchFields: [{key: metadata.name, operator: In, values: [here]}]}]", true)]
    [InlineData("nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: Exists}, {key: disks, operator: Gt, values: [\"4\"]}]}]", false)]
    [InlineData("nodeSelectorTerms: [{matchExpressions: [{key: gpu, operator: NotIn, values: [x]}, {key: disks, operator: Lt, values: [\"4\"]}]}]", true)]
    [InlineData("nodeSelectorTerms: [{}]", false)]
    [InlineData("nodeSelectorTerms: []", false)]
    public void A_term_fits_wholly_or_not(string selector, bool expected)
    {
        var node = new Node();
        node.Metadata.Name = "here";
        node.Metadata.Labels = new() { ["zone"] = "a", ["disks"] = "3" };
        Assert.Equal(expected, NodeSelection.Matches(ApiJson.Deserialize<NodeSelector>(YamlJson.ToJson(selector)), node));
    }

    [Theory]
    [InlineData("nodeSelector: {zone: a}", true, true)]
    [InlineData("nodeSelector: {zone: b}", true, false)]
    [InlineData("affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: DoesNotExist}]}]}}}", true, false)]
    [InlineData("affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: []}}", false, true)]
    public void A_pod_fits_where_it_says_it_may_run(string spec, bool selective, bool fits)
    {
        var pod = PodMaker.Parse("containers: [{name: a, image: x}]\n" + spec);
        var node = new Node();
        node.Metadata.Labels = new() { ["zone"] = "a" };
        Assert.Equal((selective, fits), (NodeSelection.IsSelective(pod), NodeSelection.Fits(pod, node)));
    }

    [Theory]
    [InlineData("containerd 1.6.20~ds1", false)]
    [InlineData("containerd v2.1.0", true)]
    [InlineData("containerd 2.0.9", false)]
    [InlineData("cri-o 1.33.0", true)]
    public void Only_some_runtimes_mount_images(string runtime, bool expected) => Assert.Equal(expected, ImageVolumes.Mounts(runtime));
}
