using Hardway.ApiServer.Rules.AdmissionRegistration;
using Hardway.ApiServer.Rules.ApiExtensions;
using Hardway.ApiServer.Rules.ApiRegistration;
using Hardway.ApiServer.Rules.Apps;
using Hardway.ApiServer.Rules.Autoscaling;
using Hardway.ApiServer.Rules.Batch;
using Hardway.ApiServer.Rules.Certificates;
using Hardway.ApiServer.Rules.Coordination;
using Hardway.ApiServer.Rules.Core;
using Hardway.ApiServer.Rules.Discovery;
using Hardway.ApiServer.Rules.FlowControl;
using Hardway.ApiServer.Rules.Networking;
using Hardway.ApiServer.Rules.NodeApi;
using Hardway.ApiServer.Rules.Policy;
using Hardway.ApiServer.Rules.Scheduling;
using Hardway.ApiServer.Rules.Rbac;
using Hardway.ApiServer.Rules.Resource;
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
        [("", "ComponentStatus")] = new ComponentStatusRules(),
        [("", "ConfigMap")] = new ConfigMapRules(),
        [("", "Secret")] = new SecretRules(),
        [("", "ServiceAccount")] = new ServiceAccountRules(),
        [("", "Service")] = new ServiceRules(),
        [("", "Endpoints")] = new EndpointsRules(),
        [("", "Event")] = new EventRules(),
        [("", "ReplicationController")] = new ReplicationControllerRules(),
        [("", "PersistentVolume")] = new PersistentVolumeRules(),
        [("", "PersistentVolumeClaim")] = new PersistentVolumeClaimRules(),
        [("", "LimitRange")] = new LimitRangeRules(),
        [("", "ResourceQuota")] = new ResourceQuotaRules(),
        [("apps", "Deployment")] = new DeploymentRules(),
        [("apps", "ReplicaSet")] = new ReplicaSetRules(),
        [("apps", "StatefulSet")] = new StatefulSetRules(),
        [("apps", "DaemonSet")] = new DaemonSetRules(),
        [("apps", "ControllerRevision")] = new ControllerRevisionRules(),
        [("autoscaling", "HorizontalPodAutoscaler")] = new HorizontalPodAutoscalerRules(),
        [("batch", "Job")] = new JobRules(),
        [("batch", "CronJob")] = new CronJobRules(),
        [("certificates.k8s.io", "CertificateSigningRequest")] = new CertificateSigningRequestRules(),
        [("coordination.k8s.io", "Lease")] = new LeaseRules(),
        [("discovery.k8s.io", "EndpointSlice")] = new EndpointSliceRules(),
        [("networking.k8s.io", "Ingress")] = new IngressRules(),
        [("networking.k8s.io", "IngressClass")] = new IngressClassRules(),
        [("networking.k8s.io", "NetworkPolicy")] = new NetworkPolicyRules(),
        [("node.k8s.io", "RuntimeClass")] = new RuntimeClassRules(),
        [("policy", "PodDisruptionBudget")] = new PodDisruptionBudgetRules(),
        [("apiextensions.k8s.io", "CustomResourceDefinition")] = new CustomResourceDefinitionRules(),
        [("apiregistration.k8s.io", "APIService")] = new APIServiceRules(),
        [("admissionregistration.k8s.io", "ValidatingWebhookConfiguration")] = new ValidatingWebhookConfigurationRules(),
        [("admissionregistration.k8s.io", "MutatingWebhookConfiguration")] = new MutatingWebhookConfigurationRules(),
        [("admissionregistration.k8s.io", "ValidatingAdmissionPolicy")] = new ValidatingAdmissionPolicyRules(),
        [("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding")] = new ValidatingAdmissionPolicyBindingRules(),
        [("admissionregistration.k8s.io", "MutatingAdmissionPolicy")] = new MutatingAdmissionPolicyRules(),
        [("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding")] = new MutatingAdmissionPolicyBindingRules(),
        [("networking.k8s.io", "IPAddress")] = new IPAddressRules(),
        [("networking.k8s.io", "ServiceCIDR")] = new ServiceCIDRRules(),
        [("scheduling.k8s.io", "PriorityClass")] = new PriorityClassRules(),
        [("rbac.authorization.k8s.io", "Role")] = new RoleRules(),
        [("rbac.authorization.k8s.io", "ClusterRole")] = new ClusterRoleRules(),
        [("rbac.authorization.k8s.io", "RoleBinding")] = new RoleBindingRules(),
        [("rbac.authorization.k8s.io", "ClusterRoleBinding")] = new ClusterRoleBindingRules(),
        [("storage.k8s.io", "StorageClass")] = new StorageClassRules(),
        [("storage.k8s.io", "CSIDriver")] = new CSIDriverRules(),
        [("storage.k8s.io", "CSINode")] = new CSINodeRules(),
        [("storage.k8s.io", "CSIStorageCapacity")] = new CSIStorageCapacityRules(),
        [("storage.k8s.io", "VolumeAttachment")] = new VolumeAttachmentRules(),
        [("storage.k8s.io", "VolumeAttributesClass")] = new VolumeAttributesClassRules(),
        [("resource.k8s.io", "DeviceClass")] = new DeviceClassRules(),
        [("resource.k8s.io", "ResourceClaim")] = new ResourceClaimRules(),
        [("resource.k8s.io", "ResourceClaimTemplate")] = new ResourceClaimTemplateRules(),
        [("resource.k8s.io", "ResourceSlice")] = new ResourceSliceRules(),
        [("flowcontrol.apiserver.k8s.io", "FlowSchema")] = new FlowSchemaRules(),
        [("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration")] = new PriorityLevelConfigurationRules(),
    };
}
