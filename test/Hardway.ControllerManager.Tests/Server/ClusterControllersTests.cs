using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Hardway.Api;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Api.Core.V1;
using Hardway.Api.Meta.V1;
using Hardway.Api.Networking.V1;
using Hardway.Api.Resource.V1;
using Hardway.Api.Storage.V1;
using Hardway.Client;
using ParentReference = Hardway.Api.Networking.V1.ParentReference;
using ResourceClaim = Hardway.Api.Resource.V1.ResourceClaim;

namespace Hardway.ControllerManager.Tests.Server;

/// <summary>The smaller controllers of a cluster on a real API server.</summary>
public sealed class ClusterControllersTests(RealServer server) : IClassFixture<RealServer>
{
    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static Secret Token(string id, string secret, string expiration) => new()
    {
        Metadata = new ObjectMeta { Namespace = "kube-system", Name = $"bootstrap-token-{id}" },
        Type = BootstrapToken.SecretType,
        Data = new() { ["token-id"] = Bytes(id), ["token-secret"] = Bytes(secret), ["usage-bootstrap-signing"] = Bytes("true"), ["expiration"] = Bytes(expiration) },
    };

    [Fact]
    public async Task Cluster_info_is_signed_by_every_token_until_the_token_expires()
    {
        await using var cluster = await Cluster.StartAsync(server);
        cluster.Run(c => new BootstrapSignerController(c), c => new TokenCleanerController(c));
        await cluster.Client.CreateAsync(new ConfigMap { Metadata = new ObjectMeta { Namespace = "kube-public", Name = "cluster-info" }, Data = new() { ["kubeconfig"] = "the authority" } }, cluster.Stop);
        await cluster.Client.CreateAsync(Token("abcdef", "0123456789abcdef", ApiTime.Format(cluster.Time.GetUtcNow().AddHours(1))), cluster.Stop);
        string? Signature() => cluster.View<ConfigMap>().Store.Get("kube-public", "cluster-info")?.Data?.GetValueOrDefault("jws-kubeconfig-abcdef");
        await cluster.UntilAsync(() => Signature() is not null, "the signature");
        var parts = Signature()!.Split('.');
        var signed = HMACSHA256.HashData(Bytes("0123456789abcdef"), Bytes($"{parts[0]}.{Base64Url.EncodeToString(Bytes("the authority"))}"));
        Assert.Equal(("", Base64Url.EncodeToString(signed)), (parts[1], parts[2]));
        cluster.View<Secret>();
        await cluster.UntilAsync(() => Signature() is null && cluster.View<Secret>().Store.Get("kube-system", "bootstrap-token-abcdef") is null, "the token and its signature to go", TimeSpan.FromMinutes(10));
    }

    [Fact]
    public async Task A_service_range_stays_while_an_address_is_in_it_alone()
    {
        await using var cluster = await Cluster.StartAsync(server);
        cluster.Run(c => new ServiceCIDRController(c));
        await cluster.Client.CreateAsync(new ServiceCIDR { Metadata = new ObjectMeta { Name = "extra" }, Spec = new ServiceCIDRSpec { Cidrs = ["10.96.0.0/24"] } }, cluster.Stop);
        ServiceCIDR? Range() => cluster.View<ServiceCIDR>().Store.Get("extra");
        await cluster.UntilAsync(() => Range() is { } r && Conditions.IsTrue(r.Status.Conditions, "Ready") && r.Metadata.Finalizers?.Contains(ServiceCIDRController.Finalizer) == true, "the range to be ready");
        await cluster.Client.CreateAsync(new IPAddress { Metadata = new ObjectMeta { Name = "10.96.0.7", Labels = new() { ["ipaddress.kubernetes.io/ip-family"] = "IPv4" } }, Spec = new IPAddressSpec { ParentRef = new ParentReference { Resource = "services", Namespace = "default", Name = "x" } } }, cluster.Stop);
        await cluster.Client.DeleteAsync<ServiceCIDR>(null, "extra", null, cluster.Stop);
        await cluster.UntilAsync(() => Range()?.Status.Conditions?.Exists(c => c is { Type: "Ready", Status: "False", Reason: "Terminating" }) == true, "the range to say that it is needed");
        Assert.NotNull(Range());
        await cluster.Client.DeleteAsync<IPAddress>(null, "10.96.0.7", null, cluster.Stop);
        await cluster.UntilAsync(() => Range() is null, "the range to go", TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_volume_attributes_class_that_a_claim_names_is_not_removed()
    {
        await using var cluster = await Cluster.StartAsync(server);
        cluster.Run(c => new VolumeAttributesClassProtectionController(c), c => new PersistentVolumeClaimProtectionController(c));
        await cluster.Client.CreateAsync(new VolumeAttributesClass { Metadata = new ObjectMeta { Name = "fast" }, DriverName = "csi.test", Parameters = new() { ["iops"] = "1" } }, cluster.Stop);
        var claim = await cluster.Client.CreateAsync(NewClaim(cluster, "data", c => c.Spec.VolumeAttributesClassName = "fast"), cluster.Stop);
        VolumeAttributesClass? Class() => cluster.View<VolumeAttributesClass>().Store.Get("fast");
        await cluster.UntilAsync(() => Class()?.Metadata.Finalizers is { Count: 1 }, "the finalizer");
        await cluster.Client.DeleteAsync<VolumeAttributesClass>(null, "fast", null, cluster.Stop);
        await cluster.UntilAsync(() => Class()?.Metadata.DeletionTimestamp is not null, "the deletion to begin");
        await cluster.Client.DeleteAsync<PersistentVolumeClaim>(cluster.Namespace, claim.Metadata.Name, null, cluster.Stop);
        await cluster.UntilAsync(() => Class() is null, "the class to go");
    }

    private static PersistentVolumeClaim NewClaim(Cluster cluster, string name, Action<PersistentVolumeClaim>? change = null)
    {
        var claim = new PersistentVolumeClaim
        {
            Metadata = new ObjectMeta { Namespace = cluster.Namespace, Name = name },
            Spec = new PersistentVolumeClaimSpec { StorageClassName = "", AccessModes = ["ReadWriteOnce"], Resources = new VolumeResourceRequirements { Requests = new() { ["storage"] = Quantity.Parse("1Gi") } } },
        };
        change?.Invoke(claim);
        return claim;
    }

    private static PersistentVolume NewVolume(string name, string size = "2Gi") => new()
    {
        Metadata = new ObjectMeta { Name = name },
        Spec = new PersistentVolumeSpec { Capacity = new() { ["storage"] = Quantity.Parse(size) }, AccessModes = ["ReadWriteOnce"], PersistentVolumeReclaimPolicy = "Retain", Csi = new CSIPersistentVolumeSource { Driver = "csi.test", VolumeHandle = name } },
    };

    [Fact]
    public async Task A_bound_volume_is_attached_to_the_node_of_its_pod_and_detached_when_the_kubelet_let_go()
    {
        await using var cluster = await Cluster.StartAsync(server);
        var (a, b) = ($"{cluster.Namespace}-a", $"{cluster.Namespace}-b");
        foreach (var name in new[] { a, b })
        {
            var node = Samples.Node(name);
            node.Metadata.Annotations = new() { ["volumes.kubernetes.io/controller-managed-attach-detach"] = "true" };
            await cluster.Client.CreateAsync(node, cluster.Stop);
        }
        cluster.Run(c => new AttachDetachController(c), c => new PersistentVolumeBinderController(c));
        await cluster.Client.CreateAsync(NewVolume($"{cluster.Namespace}-v"), cluster.Stop);
        await cluster.Client.CreateAsync(NewClaim(cluster, "data"), cluster.Stop);
        await cluster.UntilAsync(() => cluster.Get<PersistentVolumeClaim>("data")?.Status.Phase == "Bound", "the claim to be bound");
        VolumeAttachment[] Attachments() => [.. cluster.View<VolumeAttachment>().Store.List().Where(x => x.Spec.Source.PersistentVolumeName == $"{cluster.Namespace}-v")];
        await cluster.Client.CreateAsync(PodOn(cluster, "one", a), cluster.Stop);
        await cluster.UntilAsync(() => Attachments() is [{ } made] && made.Spec.NodeName == a, "the attachment");
        await cluster.EditAsync<VolumeAttachment>(null, Attachments()[0].Metadata.Name, x => x.Status.Attached = true, "status");
        await cluster.UntilAsync(() => cluster.View<Node>().Store.Get(a)?.Status.VolumesAttached is [{ Name: var n }] && n == $"kubernetes.io/csi/csi.test^{cluster.Namespace}-v", "the node to say it is attached");
        await cluster.EditAsync<Node>(null, a, n => n.Status.VolumesInUse = [$"kubernetes.io/csi/csi.test^{cluster.Namespace}-v"], "status");
        // The second Pod waits: the volume may be on one node only, and the kubelet of the first still has it.
        await cluster.Client.CreateAsync(PodOn(cluster, "two", b), cluster.Stop);
        await cluster.UntilAsync(() => cluster.All<Event>().Any(e => e.Reason == "FailedAttachVolume" && e.InvolvedObject.Name == "two"), "the second Pod to be told");
        await cluster.Client.DeleteAsync<Pod>(cluster.Namespace, "one", new DeleteOptions { GracePeriodSeconds = 0 }, cluster.Stop);
        await cluster.UntilAsync(() => cluster.Get<Pod>("one") is null, "the first Pod to go");
        Assert.Equal([a], Attachments().Select(x => x.Spec.NodeName));
        await cluster.EditAsync<Node>(null, a, n => n.Status.VolumesInUse = null, "status");
        await cluster.UntilAsync(() => Attachments() is [{ } moved] && moved.Spec.NodeName == b, "the volume to move");
    }

    private static Pod PodOn(Cluster cluster, string name, string node)
    {
        var pod = new Pod { Metadata = new ObjectMeta { Namespace = cluster.Namespace, Name = name }, Spec = Samples.Template("x").Spec };
        pod.Spec.NodeName = node;
        pod.Spec.Volumes = [new Volume { Name = "data", PersistentVolumeClaim = new PersistentVolumeClaimVolumeSource { ClaimName = "data" } }];
        return pod;
    }

    [Fact]
    public async Task A_claim_that_wants_more_is_handed_to_its_drivers_resizer()
    {
        await using var cluster = await Cluster.StartAsync(server);
        cluster.Run(c => new PersistentVolumeExpanderController(c), c => new PersistentVolumeBinderController(c));
        await cluster.Client.CreateAsync(new StorageClass { Metadata = new ObjectMeta { Name = $"{cluster.Namespace}-grows" }, Provisioner = "csi.test", AllowVolumeExpansion = true }, cluster.Stop);
        var volume = NewVolume($"{cluster.Namespace}-v", "1Gi");
        volume.Spec.StorageClassName = $"{cluster.Namespace}-grows";
        await cluster.Client.CreateAsync(volume, cluster.Stop);
        await cluster.Client.CreateAsync(NewClaim(cluster, "data", c => c.Spec.StorageClassName = $"{cluster.Namespace}-grows"), cluster.Stop);
        await cluster.UntilAsync(() => cluster.Get<PersistentVolumeClaim>("data")?.Status.Phase == "Bound", "the claim to be bound");
        await cluster.EditAsync<PersistentVolumeClaim>(cluster.Namespace, "data", c => c.Spec.Resources.Requests!["storage"] = Quantity.Parse("3Gi"));
        await cluster.UntilAsync(() => cluster.Get<PersistentVolumeClaim>("data")?.Metadata.Annotations?.GetValueOrDefault(PersistentVolumeExpanderController.Resizer) == "csi.test", "the resizer");
    }

    [Fact]
    public async Task A_pods_claims_are_made_from_templates_once_and_given_back_when_it_ended()
    {
        await using var cluster = await Cluster.StartAsync(server);
        cluster.Run(c => new ResourceClaimController(c));
        await cluster.Client.CreateAsync(new ResourceClaimTemplate
        {
            Metadata = new ObjectMeta { Namespace = cluster.Namespace, Name = "gpu" },
            Spec = new ResourceClaimTemplateSpec { Spec = new ResourceClaimSpec { Devices = new DeviceClaim { Requests = [new DeviceRequest { Name = "one", Exactly = new ExactDeviceRequest { DeviceClassName = "gpu.test", AllocationMode = "ExactCount", Count = 1 } }] } } },
        }, cluster.Stop);
        var pod = new Pod { Metadata = new ObjectMeta { Namespace = cluster.Namespace, Name = "train" }, Spec = Samples.Template("x").Spec };
        pod.Spec.RestartPolicy = "Never";
        pod.Spec.ResourceClaims = [new PodResourceClaim { Name = "card", ResourceClaimTemplateName = "gpu" }];
        pod = await cluster.Client.CreateAsync(pod, cluster.Stop);
        await cluster.UntilAsync(() => cluster.Get<Pod>("train")?.Status.ResourceClaimStatuses is [{ Name: "card" }] && cluster.All<ResourceClaim>().Length == 1, "the claim");
        var claim = cluster.All<ResourceClaim>()[0];
        Assert.Equal(claim.Metadata.Name, cluster.Get<Pod>("train")!.Status.ResourceClaimStatuses![0].ResourceClaimName);
        await cluster.EditAsync<ResourceClaim>(cluster.Namespace, claim.Metadata.Name, c => (c.Status.Allocation, c.Status.ReservedFor) = (new AllocationResult { Devices = new DeviceAllocationResult { Results = [new DeviceRequestAllocationResult { Request = "one", Driver = "d.test", Pool = "p", Device = "g0" }] } },
            [new ResourceClaimConsumerReference { Resource = "pods", Name = "train", Uid = pod.Metadata.Uid }]), "status");
        await cluster.EditAsync<Pod>(cluster.Namespace, "train", p => p.Status.Phase = "Succeeded", "status");
        await cluster.UntilAsync(() => cluster.All<ResourceClaim>().Length == 0, "the claim to go with what the Pod did", null, () => string.Join(", ", cluster.All<ResourceClaim>().Select(c => $"{c.Metadata.Name} for {c.Status.ReservedFor?.Count}")));
    }

    [Fact]
    public async Task A_policy_is_told_of_fields_that_its_kinds_do_not_have()
    {
        await using var cluster = await Cluster.StartAsync(server);
        cluster.Run(c => new ValidatingAdmissionPolicyStatusController(c));
        await cluster.Client.CreateAsync(new ValidatingAdmissionPolicy
        {
            Metadata = new ObjectMeta { Name = cluster.Namespace },
            Spec = new ValidatingAdmissionPolicySpec
            {
                MatchConstraints = new MatchResources { ResourceRules = [new NamedRuleWithOperations { Operations = ["CREATE"], ApiGroups = ["apps"], ApiVersions = ["v1"], Resources = ["deployments"] }] },
                Validations = [new Validation { Expression = "object.spec.replicas < 5" }, new Validation { Expression = "object.spec.replica < 5 && 'object.spec.no' != ''" }],
            },
        }, cluster.Stop);
        await cluster.UntilAsync(() => cluster.View<ValidatingAdmissionPolicy>().Store.Get(cluster.Namespace)?.Status.TypeChecking is not null, "the status");
        var warning = Assert.Single(cluster.View<ValidatingAdmissionPolicy>().Store.Get(cluster.Namespace)!.Status.TypeChecking!.ExpressionWarnings!);
        Assert.Equal("spec.validations[1].expression", warning.FieldRef);
        Assert.Contains("'replica'", warning.Warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nodes_learn_how_long_they_may_keep_secrets()
    {
        await using var cluster = await Cluster.StartAsync(server);
        await cluster.Client.CreateAsync(Samples.Node($"{cluster.Namespace}-ttl"), cluster.Stop);
        cluster.Run(c => new TTLController(c));
        await cluster.UntilAsync(() => cluster.View<Node>().Store.Get($"{cluster.Namespace}-ttl")?.Metadata.Annotations?.GetValueOrDefault(TTLController.Annotation) == "0", "the annotation");
    }

    [Fact]
    public async Task An_old_token_that_nobody_uses_is_marked_first_and_removed_later()
    {
        await using var cluster = await Cluster.StartAsync(server);
        var since = cluster.Time.GetUtcNow().AddDays(-1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        try { await cluster.Client.CreateAsync(new ConfigMap { Metadata = new ObjectMeta { Namespace = "kube-system", Name = "kube-apiserver-legacy-service-account-token-tracking" }, Data = new() { ["since"] = since } }, cluster.Stop); }
        catch (ApiException e) when (e.IsAlreadyExists) { }
        var account = await cluster.EditAsync<ServiceAccount>(cluster.Namespace, "default", s => s.Secrets = [new ObjectReference { Name = "old" }]);
        await cluster.Client.CreateAsync(new Secret { Metadata = new ObjectMeta { Namespace = cluster.Namespace, Name = "old", Annotations = new() { ["kubernetes.io/service-account.name"] = "default", ["kubernetes.io/service-account.uid"] = account.Metadata.Uid } }, Type = "kubernetes.io/service-account-token" }, cluster.Stop);
        cluster.View<Secret>();
        cluster.Run(c => new LegacyServiceAccountTokenCleanerController(c));
        await cluster.UntilAsync(() => cluster.Get<Secret>("old")?.Metadata.Labels?.ContainsKey(LegacyServiceAccountTokenCleanerController.InvalidSince) == true, "the mark", TimeSpan.FromDays(30));
        await cluster.UntilAsync(() => cluster.Get<Secret>("old") is null, "the token to go", TimeSpan.FromDays(30));
    }
}
