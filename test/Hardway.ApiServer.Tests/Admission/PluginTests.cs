using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Api.Scheduling.V1;
using Hardway.ApiServer.Admission;
using Hardway.ApiServer.Admission.Plugins.Limits;
using Hardway.ApiServer.Admission.Plugins.Namespaces;
using Hardway.ApiServer.Admission.Plugins.Nodes;
using Hardway.ApiServer.Admission.Plugins.Pods;
using Hardway.ApiServer.Admission.Plugins.PodSecurity;
using Hardway.ApiServer.Admission.Plugins.Quota;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Tests.Admission;

public sealed class PluginTests
{
    private static readonly UserInfo s_user = new("jane");
    private static readonly UserInfo s_node = new("system:node:n") { Groups = [UserInfo.NodesGroup] };

    private readonly MemoryReader _reader = new MemoryReader().With(
        new Namespace { Metadata = new ObjectMeta { Name = "ns" }, Status = new NamespaceStatus { Phase = "Active" } },
        new Namespace { Metadata = new ObjectMeta { Name = "going" }, Status = new NamespaceStatus { Phase = "Terminating" } },
        new ServiceAccount { Metadata = new ObjectMeta { Namespace = "ns", Name = "default" }, ImagePullSecrets = [new LocalObjectReference { Name = "pull" }] });

    [Fact]
    public async Task A_pod_gets_its_account_and_the_token_volume()
    {
        var pod = Pod();
        pod.Spec.InitContainers = [new Container { Name = "i" }];

        await AdmitAsync(new ServiceAccountPlugin(_reader), Create(pod));

        Assert.Equal("default", pod.Spec.ServiceAccountName);
        Assert.Equal("pull", Assert.Single(pod.Spec.ImagePullSecrets!).Name);
        var volume = Assert.Single(pod.Spec.Volumes!);
        Assert.Matches("^kube-api-access-[a-z0-9]{5}$", volume.Name);
        Assert.Equal(420, volume.Projected!.DefaultMode);
        Assert.Equal(3607, volume.Projected.Sources![0].ServiceAccountToken!.ExpirationSeconds);
        Assert.All(pod.Spec.Containers!.Concat(pod.Spec.InitContainers), c => Assert.Equal(volume.Name, Assert.Single(c.VolumeMounts!).Name));
    }

    [Fact]
    public async Task A_pod_that_wants_no_token_gets_none_and_an_unknown_account_is_refused()
    {
        var quiet = Pod();
        quiet.Spec.AutomountServiceAccountToken = false;
        await AdmitAsync(new ServiceAccountPlugin(_reader), Create(quiet));
        Assert.Null(quiet.Spec.Volumes);

        var lost = Pod();
        lost.Spec.ServiceAccountName = "nobody";
        Assert.Equal(403, await RefusalAsync(new ServiceAccountPlugin(_reader), Create(lost)));
    }

    [Fact]
    public async Task Nothing_is_made_where_no_namespace_is_or_one_goes()
    {
        var plugin = new NamespaceLifecycle(_reader);

        await AdmitAsync(plugin, Create(Pod()));
        Assert.Equal(404, await RefusalAsync(plugin, Create(Pod(), "nowhere")));
        Assert.Equal(403, await RefusalAsync(plugin, Create(Pod(), "going")));
        var kept = new AdmissionAttributes { Operation = AdmissionOperation.Delete, Group = "", Version = "v1", Resource = "namespaces", Kind = "Namespace", Namespace = "kube-system", Name = "kube-system", User = s_user };
        Assert.Equal(403, await RefusalAsync(plugin, kept));
    }

    [Fact]
    public async Task A_namespace_may_choose_the_nodes_of_its_pods()
    {
        _reader.With(new Namespace { Metadata = new ObjectMeta { Name = "ns", Annotations = new() { ["scheduler.alpha.kubernetes.io/node-selector"] = "zone=a, disk=fast" } } });
        var plugin = new PodNodeSelector(_reader);
        var pod = Pod();
        await AdmitAsync(plugin, Create(pod));
        Assert.Equal(("a", "fast"), (pod.Spec.NodeSelector!["zone"], pod.Spec.NodeSelector["disk"]));
        var other = Pod();
        other.Spec.NodeSelector = new() { ["zone"] = "b" };
        Assert.Equal(403, await RefusalAsync(plugin, Create(other)));
    }

    [Fact]
    public async Task Required_anti_affinity_is_over_nodes_only()
    {
        var pod = Pod();
        pod.Spec.Affinity = new Affinity { PodAntiAffinity = new PodAntiAffinity { RequiredDuringSchedulingIgnoredDuringExecution = [new PodAffinityTerm { TopologyKey = "kubernetes.io/hostname" }] } };
        var plugin = new LimitPodHardAntiAffinityTopology();
        await plugin.ValidateAsync(Create(pod), TestContext.Current.CancellationToken);
        pod.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution[0].TopologyKey = "zone";
        await Assert.ThrowsAsync<ApiException>(async () => await plugin.ValidateAsync(Create(pod), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Priority_classes_become_numbers()
    {
        _reader.With(new PriorityClass { Metadata = new ObjectMeta { Name = "high" }, Value = 1000, PreemptionPolicy = "Never" });
        var pod = Pod();
        pod.Spec.PriorityClassName = "high";
        await AdmitAsync(new PriorityPlugin(_reader), Create(pod));
        Assert.Equal((1000, "Never"), (pod.Spec.Priority, pod.Spec.PreemptionPolicy));

        var plain = Pod();
        await AdmitAsync(new PriorityPlugin(_reader), Create(plain));
        Assert.Equal((0, "PreemptLowerPriority"), (plain.Spec.Priority, plain.Spec.PreemptionPolicy));

        var cheat = Pod();
        cheat.Spec.Priority = 7;
        Assert.Equal(403, await RefusalAsync(new PriorityPlugin(_reader), Create(cheat)));
    }

    [Fact]
    public async Task Limit_ranges_fill_in_and_refuse()
    {
        _reader.With(new LimitRange
        {
            Metadata = new ObjectMeta { Namespace = "ns", Name = "l" },
            Spec = new LimitRangeSpec
            {
                Limits =
                [
                    new LimitRangeItem { Type = "Container", Default = Amounts("cpu=500m,memory=256Mi"), DefaultRequest = Amounts("cpu=100m,memory=256Mi"), Max = Amounts("cpu=1"), Min = Amounts("cpu=50m") },
                    new LimitRangeItem { Type = "Pod", Max = Amounts("cpu=1500m") },
                ],
            },
        });
        var plugin = new LimitRanger(_reader);
        var pod = Pod();
        await AdmitAsync(plugin, Create(pod));
        await plugin.ValidateAsync(Create(pod), TestContext.Current.CancellationToken);
        Assert.Equal("LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c", pod.Metadata.Annotations!["kubernetes.io/limit-ranger"]);
        Assert.Equal("500m", pod.Spec.Containers![0].Resources.Limits!["cpu"].ToString());

        var large = Pod(("c", "cpu=1", "cpu=1"), ("b", "cpu=1", "cpu=1"));
        var refusal = await Assert.ThrowsAsync<ApiException>(async () => await plugin.ValidateAsync(Create(large), TestContext.Current.CancellationToken));
        Assert.EndsWith("maximum cpu usage per Pod is 1500m, but limit is 2", refusal.Message, StringComparison.Ordinal);
        var small = Pod(("c", "cpu=10m", "cpu=500m"));
        Assert.Contains("minimum cpu usage per Container is 50m", (await Assert.ThrowsAsync<ApiException>(async () => await plugin.ValidateAsync(Create(small), TestContext.Current.CancellationToken))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_quota_is_used_up()
    {
        var quota = new ResourceQuota
        {
            Metadata = new ObjectMeta { Namespace = "ns", Name = "q" },
            Status = new ResourceQuotaStatus { Hard = Amounts("pods=2,requests.cpu=1"), Used = Amounts("pods=1,requests.cpu=0") },
        };
        _reader.With(quota);
        var store = new QuotaStore(_reader);
        var plugin = new ResourceQuotaPlugin(_reader, () => store);

        Assert.Contains("must specify requests.cpu for: c", (await Assert.ThrowsAsync<ApiException>(async () => await plugin.ValidateAsync(Create(Pod()), TestContext.Current.CancellationToken))).Message, StringComparison.Ordinal);
        await plugin.ValidateAsync(Create(Pod(("c", "cpu=300m", ""))), TestContext.Current.CancellationToken);
        Assert.Equal("2", _reader.Get<ResourceQuota>("ns", "q")!.Status.Used!["pods"].ToString());
        Assert.Equal("300m", _reader.Get<ResourceQuota>("ns", "q")!.Status.Used!["requests.cpu"].ToString());
        var over = await Assert.ThrowsAsync<ApiException>(async () => await plugin.ValidateAsync(Create(Pod(("c", "cpu=300m", ""))), TestContext.Current.CancellationToken));
        Assert.EndsWith("exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2", over.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("example.test/free", true)]
    [InlineData("plain", true)]
    [InlineData("topology.kubernetes.io/zone", true)]
    [InlineData("node.kubernetes.io/x", true)]
    [InlineData("x.kubelet.kubernetes.io/x", true)]
    [InlineData("kubernetes.io/frob", false)]
    [InlineData("foo.k8s.io/x", false)]
    [InlineData("node-restriction.kubernetes.io/x", false)]
    [InlineData("a.node-restriction.kubernetes.io/x", false)]
    public async Task A_node_labels_itself_within_bounds(string label, bool allowed)
    {
        var node = new Node { Metadata = new ObjectMeta { Name = "n", Labels = new() { [label] = "x" } } };
        var attributes = new AdmissionAttributes { Operation = AdmissionOperation.Create, Group = "", Version = "v1", Resource = "nodes", Kind = "Node", Namespace = "", Name = "n", Object = node, User = s_node };

        Assert.Equal(allowed ? 0 : 403, await RefusalAsync(new NodeRestriction(_reader), attributes));
    }

    [Fact]
    public async Task A_node_makes_mirror_pods_of_its_own_only()
    {
        _reader.With(new Node { Metadata = new ObjectMeta { Name = "n", Uid = "u" } });
        var plugin = new NodeRestriction(_reader);
        var mirror = Pod();
        mirror.Metadata.Annotations = new() { [PodSpecs.MirrorAnnotation] = "x" };
        mirror.Metadata.OwnerReferences = [new OwnerReference { ApiVersion = "v1", Kind = "Node", Name = "n", Uid = "u", Controller = true }];
        mirror.Spec.NodeName = "n";

        Assert.Equal(0, await RefusalAsync(plugin, Create(mirror, user: s_node)));
        Assert.Equal(403, await RefusalAsync(plugin, Create(Pod(), user: s_node)));
        mirror.Spec.Volumes = [new Volume { Name = "v", Secret = new SecretVolumeSource { SecretName = "s" } }];
        Assert.Equal(403, await RefusalAsync(plugin, Create(mirror, user: s_node)));
        mirror.Spec.Volumes = null;
        mirror.Spec.NodeName = "o";
        Assert.Equal(403, await RefusalAsync(plugin, Create(mirror, user: s_node)));
    }

    [Theory]
    [InlineData("""{"hostNetwork":true}""", "baseline", "host namespaces (hostNetwork=true)")]
    [InlineData("""{"hostPID":true,"hostIPC":true}""", "baseline", "host namespaces (hostPID=true, hostIPC=true)")]
    [InlineData("""{"containers":[{"name":"c","securityContext":{"privileged":true}}]}""", "baseline", "privileged (container \"c\" must not set securityContext.privileged=true)")]
    [InlineData("""{"containers":[{"name":"c","ports":[{"containerPort":80,"hostPort":80}]}]}""", "baseline", "hostPort (container \"c\" uses hostPort 80)")]
    [InlineData("""{"volumes":[{"name":"h","hostPath":{"path":"/x"}}]}""", "baseline", "hostPath volumes (volume \"h\")")]
    [InlineData("""{"securityContext":{"seLinuxOptions":{"type":"frob","user":"u"}}}""", "baseline", "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type \"frob\"; user may not be set)")]
    [InlineData("""{"containers":[{"name":"c","livenessProbe":{"httpGet":{"port":80,"host":"10.0.0.1"}}}]}""", "baseline", "probe or lifecycle host (container \"c\" uses probe or lifecycle host \"10.0.0.1\")")]
    [InlineData("""{"containers":[{"name":"c"}]}""", "baseline", "")]
    [InlineData("""{"containers":[{"name":"c"}]}""", "restricted", "allowPrivilegeEscalation != false (container \"c\" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"c\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container \"c\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")")]
    [InlineData("""{"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"c","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"],"add":["NET_BIND_SERVICE"]}}}]}""", "restricted", "")]
    public void The_pod_security_standards_find(string spec, string level, string expected)
    {
        var parsed = (PodSpec)ApiJson.FromTree(new PodSpec().StructSchema, ApiJson.DeserializeTree(System.Text.Encoding.UTF8.GetBytes(spec)));

        var found = PodSecurityStandards.Check(new LevelVersion(level == "baseline" ? SecurityLevel.Baseline : SecurityLevel.Restricted, null), new ObjectMeta(), parsed);

        Assert.Equal(expected, string.Join(", ", found));
    }

    [Fact]
    public void The_catalog_knows_the_seeds_list_and_refuses_others()
    {
        var options = new AdmissionOptions();
        var flags = new Hosting.FlagSet("t", "t");
        options.AddFlags(flags);
        Assert.True(flags.TryParse(["--enable-admission-plugins=NamespaceLifecycle,NodeRestriction,LimitRanger,ServiceAccount,DefaultStorageClass,ResourceQuota"], TextWriter.Null, TextWriter.Null, out _));
        Assert.Empty(options.Problems());

        var chain = AdmissionCatalog.Create(options, new AdmissionParts(_reader, new ResourceScheme(RuntimeConfig.Default), new ApiServer.Authorization.AlwaysAllowAuthorizer(), null, () => new QuotaStore(_reader), TimeProvider.System));
        var names = chain.Plugins.Select(p => p.Name).ToList();
        Assert.Contains("NodeRestriction", names);
        Assert.Contains("Priority", names);
        Assert.DoesNotContain("AlwaysPullImages", names);
        Assert.Equal("ResourceQuota", names[^1]);
    }

    private static Pod Pod(params (string Name, string Requests, string Limits)[] containers) => new()
    {
        Metadata = new ObjectMeta { Name = "p" },
        Spec = new PodSpec
        {
            Containers = containers.Length == 0
                ? [new Container { Name = "c" }]
                : [.. containers.Select(c => new Container { Name = c.Name, Resources = new ResourceRequirements { Requests = Amounts(c.Requests), Limits = Amounts(c.Limits) } })],
        },
    };

    private static Dictionary<string, Quantity> Amounts(string text) =>
        text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=')).ToDictionary(p => p[0], p => Quantity.Parse(p[1]), StringComparer.Ordinal);

    private static AdmissionAttributes Create(Pod pod, string ns = "ns", UserInfo? user = null) =>
        new() { Operation = AdmissionOperation.Create, Group = "", Version = "v1", Resource = "pods", Kind = "Pod", Namespace = ns, Name = "p", Object = pod, User = user ?? s_user };

    private static ValueTask AdmitAsync(AdmissionPlugin plugin, AdmissionAttributes attributes) => plugin.AdmitAsync(attributes, TestContext.Current.CancellationToken);

    private static async Task<int> RefusalAsync(AdmissionPlugin plugin, AdmissionAttributes attributes)
    {
        try
        {
            await plugin.AdmitAsync(attributes, TestContext.Current.CancellationToken);
            return 0;
        }
        catch (ApiException e)
        {
            return e.Code;
        }
    }

    private sealed class QuotaStore(MemoryReader reader) : IQuotaStore
    {
        public Task UpdateStatusAsync(string @namespace, string name, Func<ResourceQuota, ResourceQuota?> change, CancellationToken cancellationToken)
        {
            if (change(((IResourceReader)reader).Get<ResourceQuota>(@namespace, name)!.Clone()) is { } changed)
            {
                reader.With(changed);
            }

            return Task.CompletedTask;
        }
    }
}
