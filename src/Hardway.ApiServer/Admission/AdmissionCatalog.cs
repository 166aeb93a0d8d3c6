using Hardway.ApiServer.Admission.Dynamic;
using Hardway.ApiServer.Admission.Plugins.Certificates;
using Hardway.ApiServer.Admission.Plugins.Limits;
using Hardway.ApiServer.Admission.Plugins.Namespaces;
using Hardway.ApiServer.Admission.Plugins.Networking;
using Hardway.ApiServer.Admission.Plugins.Nodes;
using Hardway.ApiServer.Admission.Plugins.Pods;
using Hardway.ApiServer.Admission.Plugins.PodSecurity;
using Hardway.ApiServer.Admission.Plugins.Policy;
using Hardway.ApiServer.Admission.Plugins.Quota;
using Hardway.ApiServer.Admission.Plugins.Storage;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Authorization.Rbac;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission;

/// <summary>What plugins are made of. The quotas' store is asked for late, as it writes through pipelines that this chain is part of.</summary>
internal sealed record AdmissionParts(IResourceReader Reader, ResourceScheme Scheme, IAuthorizer Authorizer, RbacAuthorizer? Rbac, Func<IQuotaStore> Quotas, TimeProvider Time);

/// <summary>All plugins in the order in which they are asked (upstream's), and which are on by default.</summary>
internal static class AdmissionCatalog
{
    private static readonly Entry[] s_all =
    [
        new("AlwaysAdmit", false, (_, _) => new AlwaysAdmit()),
        new("NamespaceLifecycle", true, (p, _) => new NamespaceLifecycle(p.Reader)),
        new("NamespaceExists", false, (p, _) => new NamespaceExists(p.Reader)),
        new("LimitPodHardAntiAffinityTopology", false, (_, _) => new LimitPodHardAntiAffinityTopology()),
        new("LimitRanger", true, (p, _) => new LimitRanger(p.Reader)),
        new("ServiceAccount", true, (p, _) => new ServiceAccountPlugin(p.Reader)),
        new("NodeRestriction", false, (p, _) => new NodeRestriction(p.Reader)),
        new("TaintNodesByCondition", true, (_, _) => new TaintNodesByCondition()),
        new("AlwaysPullImages", false, (_, _) => new AlwaysPullImages()),
        new("ImagePolicyWebhook", false, (p, o) => new ImagePolicyWebhook(o.Config.ImagePolicy!, p.Time)),
        new("PodSecurity", true, (p, o) => new PodSecurityPlugin(p.Reader, o.Config.PodSecurity)),
        new("PodNodeSelector", false, (p, _) => new PodNodeSelector(p.Reader)),
        new("PodTopologyLabels", true, (p, _) => new PodTopologyLabels(p.Reader)),
        new("Priority", true, (p, _) => new PriorityPlugin(p.Reader)),
        new("DefaultTolerationSeconds", true, (_, o) => new DefaultTolerationSeconds(o.NotReadySeconds, o.UnreachableSeconds)),
        new("EventRateLimit", false, (p, o) => new EventRateLimit(o.Config.EventLimits, p.Time)),
        new("ExtendedResourceToleration", false, (_, _) => new ExtendedResourceToleration()),
        new("DefaultStorageClass", true, (p, _) => new DefaultStorageClass(p.Reader)),
        new("StorageObjectInUseProtection", true, (_, _) => new StorageObjectInUseProtection()),
        new("OwnerReferencesPermissionEnforcement", false, (p, _) => new OwnerReferencesPermissionEnforcement(p.Authorizer)),
        new("PersistentVolumeClaimResize", true, (p, _) => new PersistentVolumeClaimResize(p.Reader)),
        new("RuntimeClass", true, (p, _) => new RuntimeClassPlugin(p.Reader)),
        new("CertificateApproval", true, (p, _) => new CertificateApproval(p.Authorizer)),
        new("CertificateSigning", true, (p, _) => new CertificateSigning(p.Authorizer)),
        new("ClusterTrustBundleAttest", true, (p, _) => new ClusterTrustBundleAttest(p.Authorizer)),
        new("CertificateSubjectRestriction", true, (_, _) => new CertificateSubjectRestriction()),
        new("DefaultIngressClass", true, (p, _) => new DefaultIngressClass(p.Reader)),
        new("DenyServiceExternalIPs", false, (_, _) => new DenyServiceExternalIPs()),
        new("MutatingAdmissionPolicy", true, (p, _) => new MutatingAdmissionPolicyPlugin(p.Reader, p.Scheme, p.Authorizer)),
        new("MutatingAdmissionWebhook", true, (p, _) => new MutatingWebhookPlugin(p.Reader, p.Scheme, p.Authorizer, new WebhookClient(p.Reader))),
        new("ValidatingAdmissionPolicy", true, (p, _) => new ValidatingAdmissionPolicyPlugin(p.Reader, p.Scheme, p.Authorizer)),
        new("ValidatingAdmissionWebhook", true, (p, _) => new ValidatingWebhookPlugin(p.Reader, p.Scheme, p.Authorizer, new WebhookClient(p.Reader))),
        new("ResourceQuota", true, (p, _) => new ResourceQuotaPlugin(p.Reader, p.Quotas)),
        new("AlwaysDeny", false, (_, _) => new AlwaysDeny()),
    ];

    public static IEnumerable<string> Names => s_all.Select(e => e.Name);

    public static bool IsKnown(string name) => s_all.Any(e => e.Name == name);

    public static AdmissionChain Create(AdmissionOptions options, AdmissionParts parts)
    {
        options.Load();
        var plugins = s_all.Where(e => (e.IsOn || options.Enabled.Contains(e.Name)) && !options.Disabled.Contains(e.Name)).Select(e => e.Make(parts, options));
        return new AdmissionChain(parts.Rbac is { } rbac ? [new RbacEscalation(parts.Authorizer, rbac), .. plugins] : [.. plugins]);
    }

    private sealed record Entry(string Name, bool IsOn, Func<AdmissionParts, AdmissionOptions, AdmissionPlugin> Make);
}
