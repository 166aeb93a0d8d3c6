using Hardway.Client;
using Hardway.Hosting;

namespace Hardway.ControllerManager;

/// <summary>Every controller by upstream's name, and which of them run.</summary>
internal static class ControllerTable
{
    private sealed record Row(string Name, Func<ControllerContext, Controller?> Make, bool OnByDefault = true, string Workers = "");

    private static readonly Row[] _rows =
    [
        new("namespace-controller", c => new NamespaceController(c) { Workers = c.WorkersOf("namespace") }),
        new("garbage-collector-controller", c => new GarbageCollectorController(c) { Workers = c.WorkersOf("gc") }),
        new("node-lifecycle-controller", c => new NodeLifecycleController(c)),
        new("taint-eviction-controller", c => new TaintEvictionController(c)),
        new("pod-garbage-collector-controller", c => new PodGarbageCollectorController(c)),
        new("serviceaccount-controller", c => new ServiceAccountController(c)),
        new("root-ca-certificate-publisher-controller", c => c.Options.RootCAFile.Length > 0 ? new RootCACertificatePublisherController(c, File.ReadAllText(c.Options.RootCAFile)) : null),
        new("endpointslice-controller", c => new EndpointSliceController(c) { Workers = c.WorkersOf("service-endpoint") }),
        new("endpoints-controller", c => new EndpointsController(c) { Workers = c.WorkersOf("endpoint") }),
        new("replicaset-controller", c => new ReplicaSetController(c) { Workers = c.WorkersOf("replicaset") }),
        new("replicationcontroller-controller", c => new ReplicationControllerController(c) { Workers = c.WorkersOf("rc") }),
        new("daemonset-controller", c => new DaemonSetController(c) { Workers = c.WorkersOf("daemonset") }),
        new("statefulset-controller", c => new StatefulSetController(c) { Workers = c.WorkersOf("statefulset") }),
        new("cronjob-controller", c => new CronJobController(c) { Workers = c.WorkersOf("cron-job") }),
        new("disruption-controller", c => new DisruptionController(c)),
        new("clusterrole-aggregation-controller", c => new ClusterRoleAggregationController(c)),
        new("serviceaccount-token-controller", c => c.Options.ServiceAccountPrivateKeyFile.Length > 0 ? new ServiceAccountTokenController(c) { Workers = c.WorkersOf("serviceaccount-token") } : null),
        new("certificatesigningrequest-approving-controller", c => new CertificateApprovingController(c)),
        new("certificatesigningrequest-signing-controller", c => c.Options.ClusterSigningCertFile.Length > 0 ? new CertificateSigningController(c) : null),
        new("certificatesigningrequest-cleaner-controller", c => new CertificateCleaningController(c)),
        new("resourcequota-controller", c => new ResourceQuotaController(c) { Workers = c.WorkersOf("resource-quota") }),
        new("endpointslice-mirroring-controller", c => new EndpointSliceMirroringController(c)),
        new("persistentvolume-binder-controller", c => new PersistentVolumeBinderController(c)),
        new("ephemeral-volume-controller", c => new EphemeralVolumeController(c) { Workers = c.WorkersOf("ephemeralvolume") }),
        new("horizontal-pod-autoscaler-controller", c => new HorizontalPodAutoscalerController(c)),
        new("persistentvolumeclaim-protection-controller", c => new PersistentVolumeClaimProtectionController(c)),
        new("persistentvolume-protection-controller", c => new PersistentVolumeProtectionController(c)),
        new("node-ipam-controller", c => c.Options.AllocateNodeCidrs && c.Options.ClusterCidr.Length > 0 ? new NodeIpamController(c) : null),
        new("job-controller", c => new JobController(c) { Workers = c.WorkersOf("job") }),
        new("ttl-after-finished-controller", c => new TTLAfterFinishedController(c) { Workers = c.WorkersOf("ttl-after-finished") }),
        new("deployment-controller", c => new DeploymentController(c) { Workers = c.WorkersOf("deployment") }),
    ];

    public static bool Knows(string name) => Array.Exists(_rows, r => r.Name == name);

    /// <summary>Makes the controllers that --controllers selects; one that lacks what it needs (a file, a flag) is left out.</summary>
    public static List<Controller> Make(ControllerContext context)
    {
        List<Controller> made = [];
        foreach (var row in _rows)
        {
            if (IsOn(row, context.Options.Controllers) && row.Make(context) is { } controller) made.Add(controller);
        }
        return made;
    }

    private static bool IsOn(Row row, List<string> selected)
    {
        if (selected.Contains(row.Name)) return true;
        if (selected.Contains("-" + row.Name)) return false;
        return row.OnByDefault && selected.Contains("*");
    }
}
