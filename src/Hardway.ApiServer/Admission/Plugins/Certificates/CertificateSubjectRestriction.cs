using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hardway.Api.Certificates.V1;
using Hardway.ApiServer.Authentication;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Admission.Plugins.Certificates;

/// <summary>Nobody asks for a client certificate of system:masters.</summary>
internal sealed class CertificateSubjectRestriction : AdmissionPlugin
{
    public override string Name => "CertificateSubjectRestriction";

    public override AdmissionOperation Operations => AdmissionOperation.Create;

    public override ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes is not { Subresource: "", Object: CertificateSigningRequest { Spec.SignerName: "kubernetes.io/kube-apiserver-client" } request })
        {
            return ValueTask.CompletedTask;
        }

        if (Groups(attributes, request).Contains(UserInfo.MastersGroup))
        {
            throw Refuse(attributes, $"use of kubernetes.io/kube-apiserver-client signer with {UserInfo.MastersGroup} group is not allowed");
        }

        return ValueTask.CompletedTask;
    }

    private static List<string> Groups(AdmissionAttributes attributes, CertificateSigningRequest request)
    {
        try
        {
            var pem = Encoding.ASCII.GetString(request.Spec.Request ?? []);
            var parsed = CertificateRequest.LoadSigningRequestPem(pem, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.SkipSignatureValidation | CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
            return X509Authenticator.NamesOf(parsed.SubjectName).Organisations;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            throw Refuse(attributes, $"failed to parse CSR: {e.Message}");
        }
    }

    private static ApiException Refuse(AdmissionAttributes a, string why) => Statuses.Forbidden(a.Group, a.Resource, a.Name, why);
}
