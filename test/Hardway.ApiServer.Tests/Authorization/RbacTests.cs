using Hardway.Api.Meta.V1;
using Hardway.Api.Rbac.V1;
using Hardway.ApiServer.Admission;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Authorization.Rbac;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Tests.Authorization;

public sealed class RbacTests
{
    private static readonly UserInfo s_jane = new("jane") { Groups = ["team", "system:authenticated"] };

    [Fact]
    public void A_role_counts_in_its_namespace_alone()
    {
        var rbac = new RbacAuthorizer(new MemoryReader().With(Role("ns", "pods", Rule(["get", "list"], [""], ["pods"])), Binding("ns", "pods", "Role", "pods", User("jane"))));

        Assert.Equal("RBAC: allowed by RoleBinding \"pods/ns\" of Role \"pods\" to User \"jane\"", rbac.Authorize(Ask("get", "pods", "ns")).Reason);
        Assert.False(rbac.Authorize(Ask("delete", "pods", "ns")).Allowed);
        Assert.False(rbac.Authorize(Ask("get", "pods", "other")).Allowed);
        Assert.False(rbac.Authorize(Ask("get", "pods", "")).Allowed);
        Assert.False(rbac.Authorize(Ask("get", "pods", "ns") with { Subresource = "log" }).Allowed);
    }

    [Fact]
    public void Changes_count_at_once()
    {
        var reader = new MemoryReader();
        var rbac = new RbacAuthorizer(reader);
        var binding = Binding("ns", "b", "Role", "pods", new Subject { Kind = "Group", Name = "team" });
        Assert.False(rbac.Authorize(Ask("get", "pods", "ns")).Allowed);

        reader.With(binding);
        Assert.False(rbac.Authorize(Ask("get", "pods", "ns")).Allowed);
        reader.With(Role("ns", "pods", Rule(["get"], [""], ["pods"])));
        Assert.True(rbac.Authorize(Ask("get", "pods", "ns")).Allowed);
        reader.With(Role("ns", "pods", Rule(["list"], [""], ["pods"])));
        Assert.False(rbac.Authorize(Ask("get", "pods", "ns")).Allowed);
        Assert.True(rbac.Authorize(Ask("list", "pods", "ns")).Allowed);
        reader.Remove(binding);
        Assert.False(rbac.Authorize(Ask("list", "pods", "ns")).Allowed);
    }

    [Theory]
    [InlineData("pods/log", "pods", "log", true)]
    [InlineData("*/scale", "deployments", "scale", true)]
    [InlineData("*/scale", "deployments", "", false)]
    [InlineData("*", "pods", "exec", true)]
    [InlineData("pods", "pods", "exec", false)]
    [InlineData("pods/*", "pods", "exec", false)]
    public void Resources_of_rules_match_as_upstream(string rule, string resource, string subresource, bool matches)
    {
        var compiled = new CompiledRule(Rule(["get"], ["*"], [rule]));

        Assert.Equal(matches, compiled.AllowsResource("get", "apps", resource, subresource, "x"));
    }

    [Theory]
    [InlineData("/metrics", "/metrics", true)]
    [InlineData("/frob/*", "/frob/x/y", true)]
    [InlineData("/frob/*", "/frobs", false)]
    [InlineData("*", "/any", true)]
    public void Paths_of_rules_match_as_upstream(string rule, string path, bool matches) =>
        Assert.Equal(matches, new CompiledRule(new PolicyRule { Verbs = ["get"], NonResourceURLs = [rule] }).AllowsPath("get", path));

    [Fact]
    public void Rights_cover_what_they_contain()
    {
        PolicyRule[] held = [Rule(["get", "list"], ["", "apps"], ["pods", "*/scale"]), Rule(["update"], [""], ["configmaps"], "a", "b")];

        Assert.Empty(RuleCover.Missing(held, [Rule(["get"], ["apps"], ["deployments/scale"]), Rule(["update"], [""], ["configmaps"], "a")]));
        Assert.Single(RuleCover.Missing(held, [Rule(["get", "delete"], [""], ["pods"])]));
        Assert.Single(RuleCover.Missing(held, [Rule(["update"], [""], ["configmaps"])]));
        Assert.Single(RuleCover.Missing(held, [new PolicyRule { Verbs = ["get"], NonResourceURLs = ["/x"] }]));
    }

    [Fact]
    public void The_default_policy_is_whole()
    {
        var policy = BootstrapPolicy.Read();

        Assert.All(policy.ClusterRoles, r => Assert.True(r.AggregationRule is not null || r.Rules!.Count > 0, r.Metadata.Name));
        Assert.All(policy.ClusterRoleBindings, b => Assert.Contains(policy.ClusterRoles, r => r.Metadata.Name == b.RoleRef.Name));
        Assert.All(policy.RoleBindings, b => Assert.Contains(policy.Roles, r => r.Metadata.Name == b.RoleRef.Name && r.Metadata.Namespace == b.Metadata.Namespace));
        Assert.All(policy.ClusterRoles.Concat<Api.KubeObject>(policy.Roles), r => Assert.Equal("true", r.Metadata.Annotations![BootstrapPolicy.AutoUpdate]));
        Assert.Equal(["view", "edit", "admin"], policy.ClusterRoles.Where(r => r.AggregationRule is not null).Select(r => r.Metadata.Name).OrderDescending());
        var node = policy.ClusterRoleBindings.Single(b => b.Metadata.Name == "system:node");
        Assert.Null(node.Subjects);
    }

    [Fact]
    public void The_default_policy_lets_components_work()
    {
        var policy = BootstrapPolicy.Read();
        var rbac = new RbacAuthorizer(new MemoryReader().With([.. policy.ClusterRoles, .. policy.ClusterRoleBindings, .. policy.Roles, .. policy.RoleBindings]));
        AuthorizationAttributes By(string user, string verb, string group, string resource, string ns = "", string name = "") =>
            new() { User = new UserInfo(user), Verb = verb, IsResource = true, Group = group, Resource = resource, Namespace = ns, Name = name };

        Assert.True(rbac.Authorize(By("system:kube-scheduler", "create", "", "pods", "x") with { Subresource = "binding" }).Allowed);
        Assert.True(rbac.Authorize(By("system:kube-scheduler", "update", "coordination.k8s.io", "leases", "kube-system", "kube-scheduler")).Allowed);
        Assert.True(rbac.Authorize(By("system:kube-controller-manager", "watch", "apps", "deployments")).Allowed);
        Assert.True(rbac.Authorize(By("system:kube-proxy", "watch", "discovery.k8s.io", "endpointslices")).Allowed);
        Assert.True(rbac.Authorize(By("system:serviceaccount:kube-system:deployment-controller", "create", "apps", "replicasets", "x")).Allowed);
        Assert.False(rbac.Authorize(By("system:serviceaccount:kube-system:deployment-controller", "create", "", "secrets", "x")).Allowed);
        Assert.False(rbac.Authorize(By("system:anonymous", "get", "", "pods", "x")).Allowed);
    }

    [Fact]
    public async Task Nobody_gives_away_more_than_he_has()
    {
        var manager = Role("ns", "manager", Rule(["*"], ["rbac.authorization.k8s.io"], ["roles", "rolebindings"]), Rule(["get"], [""], ["pods"]));
        var reader = new MemoryReader().With(manager, Binding("ns", "manager", "Role", "manager", User("jane")), new ClusterRole { Metadata = new ObjectMeta { Name = "root" }, Rules = [Rule(["*"], ["*"], ["*"])] });
        var rbac = new RbacAuthorizer(reader);
        manager.Rules![0].Verbs = ["create", "update"];
        reader.With(Role("ns", "manager", [.. manager.Rules]));
        var escalation = new RbacEscalation(rbac, rbac);

        await escalation.AdmitAsync(Write("roles", Role("ns", "own", Rule(["get"], [""], ["pods"]))), TestContext.Current.CancellationToken);
        await RefusedAsync(403, "roles", Role("ns", "more", Rule(["get"], [""], ["secrets"])));
        await RefusedAsync(403, "rolebindings", Binding("ns", "up", "ClusterRole", "root", User("jane")));
        await RefusedAsync(404, "rolebindings", Binding("ns", "up", "Role", "nowhere", User("jane")));

        async Task RefusedAsync(int code, string resource, Api.KubeObject value) =>
            Assert.Equal(code, (await Assert.ThrowsAsync<ApiException>(async () => await escalation.AdmitAsync(Write(resource, value), TestContext.Current.CancellationToken))).Code);
    }

    private static AdmissionAttributes Write(string resource, Api.KubeObject value) => new()
    {
        Operation = AdmissionOperation.Create,
        Group = BootstrapPolicy.RbacGroup,
        Version = "v1",
        Resource = resource,
        Kind = value.Kind,
        Namespace = value.Metadata.Namespace,
        Name = value.Metadata.Name,
        Object = value,
        User = s_jane,
    };

    private static AuthorizationAttributes Ask(string verb, string resource, string ns) => new() { User = s_jane, Verb = verb, IsResource = true, Resource = resource, Namespace = ns };

    private static PolicyRule Rule(string[] verbs, string[] groups, string[] resources, params string[] names) =>
        new() { Verbs = [.. verbs], ApiGroups = [.. groups], Resources = [.. resources], ResourceNames = names.Length > 0 ? [.. names] : null };

    private static Role Role(string ns, string name, params PolicyRule[] rules) => new() { Metadata = new ObjectMeta { Namespace = ns, Name = name }, Rules = [.. rules] };

    private static Subject User(string name) => new() { Kind = "User", Name = name };

    private static RoleBinding Binding(string ns, string name, string kind, string role, params Subject[] subjects) =>
        new() { Metadata = new ObjectMeta { Namespace = ns, Name = name }, RoleRef = new RoleRef { Kind = kind, Name = role }, Subjects = [.. subjects] };
}
