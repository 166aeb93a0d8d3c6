using Hardway.ApiServer.Rules.Apps;
using Hardway.ApiServer.Rules.Batch;
using Hardway.ApiServer.Rules.Coordination;
using Hardway.ApiServer.Rules.Core;
using Hardway.ApiServer.Rules.Discovery;
using Hardway.ApiServer.Rules.Policy;
using Hardway.ApiServer.Rules.Storage;

namespace Hardway.ApiServer.Registry;

internal static partial class RulesCatalog
{
    private static Dictionary<(string Group, string Kind), KindRules> Table() => new()
    {
        [("", "Pod")] = new PodRules(),
        [("", "PodTemplate")] = new PodTemplateRules(),
        [("", "Namespace")] = new NamespaceRules(),
        [("", "Node")] = new NodeRules(),
        [("", "ConfigMap")] = new ConfigMapRules(),
        [("", "Secret")] = new SecretRules(),
        [("", "ServiceAccount")] = new ServiceAccountRules(),
        [("", "Service")] = new ServiceRules(),
        [("", "Endpoints")] = new EndpointsRules(),
        [("", "Event")] = new EventRules(),
        [("", "ReplicationController")] = new ReplicationControllerRules(),
        [("", "PersistentVolume")] = new PersistentVolumeRules(),
        [("", "PersistentVolumeClaim")] = new PersistentVolumeClaimRules(),
        [("apps", "Deployment")] = new DeploymentRules(),
        [("apps", "ReplicaSet")] = new ReplicaSetRules(),
        [("apps", "StatefulSet")] = new StatefulSetRules(),
        [("apps", "DaemonSet")] = new DaemonSetRules(),
        [("apps", "ControllerRevision")] = new ControllerRevisionRules(),
        [("batch", "Job")] = new JobRules(),
        [("batch", "CronJob")] = new CronJobRules(),
        [("coordination.k8s.io", "Lease")] = new LeaseRules(),
        [("discovery.k8s.io", "EndpointSlice")] = new EndpointSliceRules(),
        [("policy", "PodDisruptionBudget")] = new PodDisruptionBudgetRules(),
        [("storage.k8s.io", "StorageClass")] = new StorageClassRules(),
    };
}
