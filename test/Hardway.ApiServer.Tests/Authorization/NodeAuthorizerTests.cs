using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Authorization.Node;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Tests.Authorization;

public sealed class NodeAuthorizerTests
{
    private static readonly UserInfo s_node = new("system:node:n") { Groups = [UserInfo.NodesGroup] };

    private readonly NodeAuthorizer _authorizer = new(new MemoryReader().With(
        Pod("own", "n", new Volume { Name = "s", Secret = new SecretVolumeSource { SecretName = "used" } }, new Volume { Name = "c", PersistentVolumeClaim = new PersistentVolumeClaimVolumeSource { ClaimName = "claim" } }),
        Pod("foreign", "o", new Volume { Name = "s", Secret = new SecretVolumeSource { SecretName = "other" } }),
        new PersistentVolume { Metadata = new ObjectMeta { Name = "pv" }, Spec = new PersistentVolumeSpec { ClaimRef = new ObjectReference { Namespace = "ns", Name = "claim" } } }));

    [Theory]
    [InlineData("get", "", "secrets", "ns", "used", true)]
    [InlineData("get", "", "secrets", "ns", "other", false)]
    [InlineData("get", "", "secrets", "elsewhere", "used", false)]
    [InlineData("list", "", "secrets", "ns", "", false)]
    [InlineData("update", "", "secrets", "ns", "used", false)]
    [InlineData("get", "", "persistentvolumeclaims", "ns", "claim", true)]
    [InlineData("get", "", "persistentvolumes", "", "pv", true)]
    [InlineData("get", "", "nodes", "", "n", true)]
    [InlineData("get", "", "nodes", "", "o", false)]
    [InlineData("delete", "", "nodes", "", "n", false)]
    [InlineData("get", "", "pods", "ns", "own", true)]
    [InlineData("get", "", "pods", "ns", "foreign", false)]
    [InlineData("patch", "", "pods", "ns", "own", false)]
    [InlineData("list", "", "services", "", "", true)]
    [InlineData("create", "", "events", "ns", "", true)]
    [InlineData("update", "coordination.k8s.io", "leases", "kube-node-lease", "n", true)]
    [InlineData("update", "coordination.k8s.io", "leases", "kube-node-lease", "o", false)]
    [InlineData("update", "coordination.k8s.io", "leases", "ns", "n", false)]
    [InlineData("get", "storage.k8s.io", "csinodes", "", "n", true)]
    [InlineData("list", "storage.k8s.io", "csidrivers", "", "", true)]
    [InlineData("create", "authentication.k8s.io", "tokenreviews", "", "", true)]
    [InlineData("list", "", "namespaces", "", "", false)]
    public void A_node_sees_what_it_needs(string verb, string group, string resource, string ns, string name, bool allowed) =>
        Assert.Equal(allowed, _authorizer.Authorize(new AuthorizationAttributes { User = s_node, Verb = verb, IsResource = true, Group = group, Resource = resource, Namespace = ns, Name = name }).Allowed);

    [Fact]
    public void Pods_are_listed_by_the_own_name_only()
    {
        var list = new AuthorizationAttributes { User = s_node, Verb = "watch", IsResource = true, Resource = "pods", FieldSelector = "spec.nodeName=n" };

        Assert.True(_authorizer.Authorize(list).Allowed);
        Assert.False(_authorizer.Authorize(list with { FieldSelector = "spec.nodeName=o" }).Allowed);
        Assert.False(_authorizer.Authorize(list with { FieldSelector = "" }).Allowed);
    }

    [Fact]
    public void The_name_alone_makes_no_node() =>
        Assert.False(_authorizer.Authorize(new AuthorizationAttributes { User = new UserInfo("system:node:n"), Verb = "get", IsResource = true, Resource = "nodes", Name = "n" }).Allowed);

    private static Pod Pod(string name, string node, params Volume[] volumes) =>
        new() { Metadata = new ObjectMeta { Namespace = "ns", Name = name }, Spec = new PodSpec { NodeName = node, Volumes = [.. volumes] } };
}
