using System.Security.Cryptography;
using System.Text;
using Hardway.Api;
using Hardway.Api.Certificates.V1;
using Hardway.Client;
using Hardway.Pki;

namespace Hardway.ControllerManager;

/// <summary>Signs approved requests to the kubernetes.io signers with the cluster's authority; a request that its signer must not sign is marked Failed.</summary>
internal sealed class CertificateSigningController : Controller
{
    private readonly KubeClient _client;
    private readonly Informer<CertificateSigningRequest> _requests;
    private readonly CertificateAuthority _authority;
    private readonly TimeSpan _longest;

    public CertificateSigningController(ControllerContext context)
        : base("certificatesigningrequest-signing-controller", context.Logs, context.Time, context.Metrics)
    {
        _authority = CertificateAuthority.LoadFiles(context.Options.ClusterSigningCertFile, context.Options.ClusterSigningKeyFile, context.Time);
        _longest = context.Options.ClusterSigningDuration;
        _client = context.ClientFor("certificate-controller");
        _requests = Needs(context.Informers.Get<CertificateSigningRequest>());
        _requests.AddHandler(r => Queue.Add(r.Metadata.Name));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_requests.Store.Get(key)?.Clone() is not { } request || request.Status.Certificate is { Length: > 0 } || !Requests.IsApproved(request) || Requests.Has(request, "Failed")) return;
        if (request.Spec.SignerName is not (Requests.ApiServerClient or Requests.KubeletClient or Requests.KubeletServing or Requests.LegacyUnknown)) return;
        try
        {
            var parsed = Requests.Parse(request);
            if (Requests.Refusal(request, parsed) is { } wrong)
            {
                await FailAsync(request, "SignerValidationFailure", wrong, cancellationToken);
                return;
            }
            var life = request.Spec.ExpirationSeconds is { } seconds && TimeSpan.FromSeconds(seconds) < _longest ? TimeSpan.FromSeconds(Math.Max(600, seconds)) : _longest;
            using var made = _authority.Sign(parsed.SubjectName, parsed.PublicKey, parsed.CertificateExtensions, Requests.UseOf(request), life);
            request.Status.Certificate = Encoding.ASCII.GetBytes(made.ExportCertificatePem() + "\n");
        }
        catch (CryptographicException e)
        {
            await FailAsync(request, "SigningError", $"the request cannot be read: {e.Message}", cancellationToken);
            return;
        }
        await _client.UpdateStatusAsync(request, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        _authority.Dispose();
        base.Dispose(disposing);
    }

    private Task FailAsync(CertificateSigningRequest request, string reason, string message, CancellationToken ct)
    {
        var now = Time.GetUtcNow();
        (request.Status.Conditions ??= []).Add(new CertificateSigningRequestCondition { Type = "Failed", Status = "True", Reason = reason, Message = message, LastUpdateTime = now, LastTransitionTime = now });
        return _client.UpdateStatusAsync(request, ct);
    }
}
