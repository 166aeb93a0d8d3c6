using System.Security.Cryptography;
using System.Text;
using Hardway.Api;
using Hardway.Api.Certificates.V1;
using Hardway.Client;
using Hardway.Pki;

namespace Hardway.ControllerManager;

/// <summary>Signs approved requests to the kubernetes.io signers with the cluster's authority, or a signer's own; a request that its signer must not sign is marked Failed.</summary>
internal sealed class CertificateSigningController : ClusterController
{
    private static readonly (string Signer, string Flag)[] _signers =
        [(Requests.ApiServerClient, "kube-apiserver-client"), (Requests.KubeletClient, "kubelet-client"), (Requests.KubeletServing, "kubelet-serving"), (Requests.LegacyUnknown, "legacy-unknown")];

    private readonly Informer<CertificateSigningRequest> _requests;
    private readonly Dictionary<string, CertificateAuthority> _authorities = new(StringComparer.Ordinal);
    private readonly TimeSpan _longest;

    public CertificateSigningController(ControllerContext context) : base("certificatesigningrequest-signing-controller", "certificate-controller", context)
    {
        foreach (var (signer, flag) in _signers)
        {
            var (certificate, key) = context.Options.SignerFiles.GetValueOrDefault(flag, (context.Options.ClusterSigningCertFile, context.Options.ClusterSigningKeyFile));
            if (certificate.Length > 0) _authorities[signer] = CertificateAuthority.LoadFiles(certificate, key, context.Time);
        }
        _longest = context.Options.ClusterSigningDuration;
        _requests = Watch<CertificateSigningRequest>();
        _requests.AddHandler(r => Queue.Add(r.Metadata.Name));
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (_requests.Store.Get(key)?.Clone() is not { } request || request.Status.Certificate is { Length: > 0 } || !Requests.IsApproved(request) || Requests.Has(request, "Failed")) return;
        if (!_authorities.TryGetValue(request.Spec.SignerName, out var authority)) return;
        try
        {
            var parsed = Requests.Parse(request);
            if (Requests.Refusal(request, parsed) is { } wrong)
            {
                await FailAsync(request, "SignerValidationFailure", wrong, cancellationToken);
                return;
            }
            var life = request.Spec.ExpirationSeconds is { } seconds && TimeSpan.FromSeconds(seconds) < _longest ? TimeSpan.FromSeconds(Math.Max(600, seconds)) : _longest;
            using var made = authority.Sign(parsed.SubjectName, parsed.PublicKey, parsed.CertificateExtensions, Requests.UseOf(request), life);
            request.Status.Certificate = Encoding.ASCII.GetBytes(made.ExportCertificatePem() + "\n");
        }
        catch (CryptographicException e)
        {
            await FailAsync(request, "SigningError", $"the request cannot be read: {e.Message}", cancellationToken);
            return;
        }
        await Client.UpdateStatusAsync(request, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        foreach (var authority in _authorities.Values) authority.Dispose();
        base.Dispose(disposing);
    }

    private Task FailAsync(CertificateSigningRequest request, string reason, string message, CancellationToken ct)
    {
        var now = Time.GetUtcNow();
        (request.Status.Conditions ??= []).Add(new CertificateSigningRequestCondition { Type = "Failed", Status = "True", Reason = reason, Message = message, LastUpdateTime = now, LastTransitionTime = now });
        return Client.UpdateStatusAsync(request, ct);
    }
}
