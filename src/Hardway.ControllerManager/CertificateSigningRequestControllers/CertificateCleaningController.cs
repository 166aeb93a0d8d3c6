using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hardway.Api.Certificates.V1;
using Hardway.Client;

namespace Hardway.ControllerManager;

/// <summary>Removes signing requests that are done with: approved an hour ago, denied or failed an hour ago, pending for a day, or with an expired certificate. Every hour; one key: "all".</summary>
internal sealed class CertificateCleaningController : ClusterController
{
    private static readonly TimeSpan _period = TimeSpan.FromHours(1);
    private readonly Informer<CertificateSigningRequest> _requests;

    public CertificateCleaningController(ControllerContext context) : base("certificatesigningrequest-cleaner-controller", "certificate-controller", context)
    {
        Workers = 1;
        _requests = Watch<CertificateSigningRequest>();
        Queue.Add("all");
    }

    public override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        Queue.AddAfter(key, _period);
        foreach (var request in _requests.Store.List().Where(r => IsDone(r, Time.GetUtcNow()))) await Client.DeleteAsync<CertificateSigningRequest>(null, request.Metadata.Name, null, cancellationToken);
    }

    internal static bool IsDone(CertificateSigningRequest request, DateTimeOffset now)
    {
        bool Older(string type) => (request.Status.Conditions ?? []).Exists(c => c.Type == type && c.LastUpdateTime is { } at && at.AddHours(1) < now);
        if (Older("Denied") || Older("Failed")) return true;
        if (request.Status.Certificate is { Length: > 0 } certificate) return Older("Approved") || IsExpired(certificate, now);
        return request.Status.Conditions is null or { Count: 0 } && request.Metadata.CreationTimestamp?.AddHours(24) < now;
    }

    private static bool IsExpired(byte[] pem, DateTimeOffset now)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(pem));
            return certificate.NotAfter.ToUniversalTime() < now;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
