using System.Security.Cryptography;
using Hardway.Api;
using Hardway.Api.Authorization.V1;
using Hardway.Api.Certificates.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Approves kubelets' client certificates: for a node's own (selfnodeclient) or for a bootstrapping kubelet (nodeclient), when RBAC lets the requester.</summary>
internal sealed class CertificateApprovingController : ClusterController
{
    private readonly Informer<CertificateSigningRequest> _requests;

    public CertificateApprovingController(ControllerContext context) : base("certificatesigningrequest-approving-controller", "certificate-controller", context)
    {
        _requests = Watch<CertificateSigningRequest>();
        _requests.AddHandler(r => Queue.Add(r.Metadata.Name));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_requests.Store.Get(key)?.Clone() is not { Spec.SignerName: Requests.KubeletClient } request || Requests.Has(request, "Approved") || Requests.Has(request, "Denied") || Requests.Has(request, "Failed")) return;
        string name;
        try
        {
            var parsed = Requests.Parse(request);
            if (Requests.Refusal(request, parsed) is not null) return;
            name = Requests.Subject(parsed).CommonName;
        }
        catch (CryptographicException)
        {
            return;
        }
        foreach (var (subresource, message) in new[] { ("selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview."), ("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview.") })
        {
            if (subresource == "selfnodeclient" && request.Spec.Username != name) continue;
            if (!await MayAsync(request, subresource, cancellationToken)) continue;
            var now = Time.GetUtcNow();
            (request.Status.Conditions ??= []).Add(new CertificateSigningRequestCondition { Type = "Approved", Status = "True", Reason = "AutoApproved", Message = message, LastUpdateTime = now, LastTransitionTime = now });
            await Client.PutAsync(request, "approval", cancellationToken);
            return;
        }
    }

    private async Task<bool> MayAsync(CertificateSigningRequest request, string subresource, CancellationToken ct)
    {
        var review = new SubjectAccessReview();
        review.Spec.User = request.Spec.Username;
        review.Spec.Uid = request.Spec.Uid;
        review.Spec.Groups = request.Spec.Groups;
        review.Spec.Extra = request.Spec.Extra;
        review.Spec.ResourceAttributes = new ResourceAttributes { Group = "certificates.k8s.io", Resource = "certificatesigningrequests", Verb = "create", Subresource = subresource, Version = "*" };
        return (await Client.CreateAsync(ApiResource.Of<SubjectAccessReview>(), null, null, null, review, ct)).Status.Allowed;
    }
}
