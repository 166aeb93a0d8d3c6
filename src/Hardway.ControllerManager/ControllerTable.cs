using Hardway.Api.Certificates.V1Beta1;
using Hardway.Api.Internal.V1Alpha1;
using Hardway.Api.Networking.V1;
using Hardway.Api.Resource.V1;
using Hardway.Api.Storage.V1;
using Hardway.Api.StorageMigration.V1Beta1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Every controller by upstream's name, and which of them run.</summary>
internal static class ControllerTable
{
    private static readonly ApiResource[] _none = [];

    /// <param name="Name">Upstream's name, for --controllers.</param>
    /// <param name="Make">Makes it; null when a flag or a file that it needs is missing.</param>
    /// <param name="Alias">The name it had before they all ended in -controller; still taken.</param>
    private sealed record Row(string Name, Func<ControllerContext, Controller?> Make, string Alias = "")
    {
        public bool OnByDefault { get; init; } = true;

        /// <summary>Not every server has these (feature gates): without them the controller does not run.</summary>
        public ApiResource[] Needs { get; init; } = _none;
    }

    private static readonly Row[] _rows =
    [
        new("namespace-controller", c => new NamespaceController(c) { Workers = c.WorkersOf("namespace") }, "namespace"),
        new("garbage-collector-controller", c => c.Options.EnableGarbageCollector ? new GarbageCollectorController(c) { Workers = c.WorkersOf("gc") } : null, "garbagecollector"),
        new("node-lifecycle-controller", c => new NodeLifecycleController(c), "nodelifecycle"),
        new("taint-eviction-controller", c => new TaintEvictionController(c)),
        new("pod-garbage-collector-controller", c => new PodGarbageCollectorController(c), "podgc"),
        new("serviceaccount-controller", c => new ServiceAccountController(c), "serviceaccount"),
        new("root-ca-certificate-publisher-controller", c => c.Options.RootCAFile.Length > 0 ? new RootCACertificatePublisherController(c, File.ReadAllText(c.Options.RootCAFile)) : null, "root-ca-cert-publisher"),
        new("endpointslice-controller", c => new EndpointSliceController(c) { Workers = c.WorkersOf("service-endpoint") }, "endpointslice"),
        new("endpoints-controller", c => new EndpointsController(c) { Workers = c.WorkersOf("endpoint") }, "endpoint"),
        new("replicaset-controller", c => new ReplicaSetController(c) { Workers = c.WorkersOf("replicaset") }, "replicaset"),
        new("replicationcontroller-controller", c => new ReplicationControllerController(c) { Workers = c.WorkersOf("rc") }, "replicationcontroller"),
        new("daemonset-controller", c => new DaemonSetController(c) { Workers = c.WorkersOf("daemonset") }, "daemonset"),
        new("statefulset-controller", c => new StatefulSetController(c) { Workers = c.WorkersOf("statefulset") }, "statefulset"),
        new("cronjob-controller", c => new CronJobController(c) { Workers = c.WorkersOf("cron-job") }, "cronjob"),
        new("disruption-controller", c => new DisruptionController(c), "disruption"),
        new("clusterrole-aggregation-controller", c => new ClusterRoleAggregationController(c), "clusterrole-aggregation"),
        new("serviceaccount-token-controller", c => c.Options.ServiceAccountPrivateKeyFile.Length > 0 ? new ServiceAccountTokenController(c) { Workers = c.WorkersOf("serviceaccount-token") } : null, "serviceaccount-token"),
        new("certificatesigningrequest-approving-controller", c => new CertificateApprovingController(c), "csrapproving"),
        new("certificatesigningrequest-signing-controller", c => c.Options.ClusterSigningCertFile.Length > 0 || c.Options.SignerFiles.Count > 0 ? new CertificateSigningController(c) : null, "csrsigning"),
        new("certificatesigningrequest-cleaner-controller", c => new CertificateCleaningController(c), "csrcleaner"),
        new("resourcequota-controller", c => new ResourceQuotaController(c) { Workers = c.WorkersOf("resource-quota") }, "resourcequota"),
        new("endpointslice-mirroring-controller", c => new EndpointSliceMirroringController(c), "endpointslicemirroring"),
        new("persistentvolume-binder-controller", c => new PersistentVolumeBinderController(c), "persistentvolume-binder"),
        new("ephemeral-volume-controller", c => new EphemeralVolumeController(c) { Workers = c.WorkersOf("ephemeralvolume") }, "ephemeral-volume"),
        new("horizontal-pod-autoscaler-controller", c => new HorizontalPodAutoscalerController(c), "horizontalpodautoscaling"),
        new("persistentvolumeclaim-protection-controller", c => new PersistentVolumeClaimProtectionController(c), "pvc-protection"),
        new("persistentvolume-protection-controller", c => new PersistentVolumeProtectionController(c), "pv-protection"),
        new("node-ipam-controller", c => c.Options.AllocateNodeCidrs && c.Options.ClusterCidr.Length > 0 ? new NodeIpamController(c) : null, "nodeipam"),
        new("job-controller", c => new JobController(c) { Workers = c.WorkersOf("job") }, "job"),
        new("ttl-after-finished-controller", c => new TTLAfterFinishedController(c) { Workers = c.WorkersOf("ttl-after-finished") }, "ttl-after-finished"),
        new("deployment-controller", c => new DeploymentController(c) { Workers = c.WorkersOf("deployment") }, "deployment"),
        new("persistentvolume-attach-detach-controller", c => new AttachDetachController(c), "attachdetach"),
        new("persistentvolume-expander-controller", c => new PersistentVolumeExpanderController(c), "persistentvolume-expander"),
        new("volumeattributesclass-protection-controller", c => new VolumeAttributesClassProtectionController(c)) { Needs = [ApiResource.Of<VolumeAttributesClass>()] },
        new("resourceclaim-controller", c => new ResourceClaimController(c) { Workers = c.WorkersOf("resource-claim") }, "resource-claim-controller") { Needs = [ApiResource.Of<ResourceClaim>(), ApiResource.Of<ResourceClaimTemplate>()] },
        new("device-taint-eviction-controller", c => new DeviceTaintEvictionController(c)) { Needs = [ApiResource.Of<ResourceClaim>(), ApiResource.Of<ResourceSlice>()] },
        new("service-cidr-controller", c => new ServiceCIDRController(c)) { Needs = [ApiResource.Of<ServiceCIDR>(), ApiResource.Of<IPAddress>()] },
        new("validatingadmissionpolicy-status-controller", c => new ValidatingAdmissionPolicyStatusController(c) { Workers = c.WorkersOf("validating-admission-policy-status") }),
        new("ttl-controller", c => new TTLController(c), "ttl"),
        new("legacy-serviceaccount-token-cleaner-controller", c => new LegacyServiceAccountTokenCleanerController(c), "legacy-service-account-token-cleaner"),
        new("storage-version-migrator-controller", c => new StorageVersionMigratorController(c)) { Needs = [ApiResource.Of<StorageVersionMigration>()] },
        new("storageversion-garbage-collector-controller", c => new StorageVersionGarbageCollectorController(c), "storage-version-gc") { Needs = [ApiResource.Of<StorageVersion>()] },
        new("podcertificaterequest-cleaner-controller", c => new PodCertificateRequestCleanerController(c)) { Needs = [ApiResource.Of<PodCertificateRequest>()] },
        new("kube-apiserver-serving-clustertrustbundle-publisher-controller", c => c.Options.RootCAFile.Length > 0 ? new ServingTrustBundlePublisherController(c, File.ReadAllText(c.Options.RootCAFile)) : null) { Needs = [ApiResource.Of<ClusterTrustBundle>()] },
        new("bootstrap-signer-controller", c => new BootstrapSignerController(c), "bootstrapsigner") { OnByDefault = false },
        new("token-cleaner-controller", c => new TokenCleanerController(c), "tokencleaner") { OnByDefault = false },
        new("selinux-warning-controller", c => new SELinuxWarningController(c)) { OnByDefault = false },

        new("service-lb-controller", c => new ServiceLoadBalancerController(c), "service"),

        // These need a cloud; their names are taken so that a command line that switches them off still works.
        new("node-route-controller", _ => null, "route"),
        new("cloud-node-lifecycle-controller", _ => null, "cloud-node-lifecycle"),
    ];

    public static IEnumerable<string> Names => _rows.Select(r => r.Name);

    public static bool Knows(string name) => Array.Exists(_rows, r => IsNamed(r, name));

    /// <summary>Makes the controllers that --controllers selects; one that lacks what it needs (a file, a flag, a resource of the server) is left out.</summary>
    public static List<Controller> Make(ControllerContext context)
    {
        List<Controller> made = [];
        foreach (var row in _rows)
        {
            if (IsOn(row, context.Options.Controllers) && Array.TrueForAll(row.Needs, context.Serves) && row.Make(context) is { } controller) made.Add(controller);
        }
        return made;
    }

    private static bool IsNamed(Row row, string name) => row.Name == name || (row.Alias.Length > 0 && row.Alias == name);

    private static bool IsOn(Row row, List<string> selected)
    {
        if (selected.Exists(s => IsNamed(row, s))) return true;
        if (selected.Exists(s => s is ['-', ..] && IsNamed(row, s[1..]))) return false;
        return row.OnByDefault && selected.Contains("*");
    }
}
