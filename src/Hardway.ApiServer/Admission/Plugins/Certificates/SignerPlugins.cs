using Hardway.Api;
using Hardway.Api.Certificates.V1;
using Hardway.ApiServer.Authorization;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Admission.Plugins.Certificates;

/// <summary>Who approves or signs for a signer needs that verb on the signer, by its name or by DOMAIN/*.</summary>
internal abstract class SignerPlugin(IAuthorizer authorizer) : AdmissionPlugin
{
    protected const string CertificatesGroup = "certificates.k8s.io";

    public override AdmissionOperation Operations => AdmissionOperation.Update;

    protected async ValueTask RequireAsync(AdmissionAttributes attributes, string verb, string signer, CancellationToken cancellationToken)
    {
        var slash = signer.IndexOf('/', StringComparison.Ordinal);
        foreach (var name in new[] { signer, slash < 0 ? signer : signer[..slash] + "/*" })
        {
            var asked = new AuthorizationAttributes { User = attributes.User, Verb = verb, IsResource = true, Group = CertificatesGroup, Version = "*", Resource = "signers", Name = name };
            if ((await authorizer.AuthorizeAsync(asked, cancellationToken).ConfigureAwait(false)).Allowed)
            {
                return;
            }
        }

        throw Statuses.Forbidden(attributes.Group, attributes.Resource, attributes.Name, $"user not permitted to {verb} requests with signerName \"{signer}\"");
    }

    protected static bool IsRequest(AdmissionAttributes attributes, string subresource) =>
        attributes.Group == CertificatesGroup && attributes.Resource == "certificatesigningrequests" && attributes.Subresource == subresource;
}

internal sealed class CertificateApproval(IAuthorizer authorizer) : SignerPlugin(authorizer)
{
    public override string Name => "CertificateApproval";

    public override ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken) =>
        IsRequest(attributes, "approval") && attributes.OldObject is CertificateSigningRequest old ? RequireAsync(attributes, "approve", old.Spec.SignerName, cancellationToken) : ValueTask.CompletedTask;
}

internal sealed class CertificateSigning(IAuthorizer authorizer) : SignerPlugin(authorizer)
{
    public override string Name => "CertificateSigning";

    public override ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (!IsRequest(attributes, "status") || attributes is not { OldObject: CertificateSigningRequest old, Object: CertificateSigningRequest request })
        {
            return ValueTask.CompletedTask;
        }

        var isSame = (old.Status.Certificate ?? []).AsSpan().SequenceEqual(request.Status.Certificate ?? []) && Failed(old) == Failed(request);
        return isSame ? ValueTask.CompletedTask : RequireAsync(attributes, "sign", old.Spec.SignerName, cancellationToken);
    }

    private static bool Failed(CertificateSigningRequest request) => (request.Status.Conditions ?? []).Any(c => c.Type == "Failed");
}

/// <summary>A trust bundle that names a signer is that signer's to write.</summary>
internal sealed class ClusterTrustBundleAttest(IAuthorizer authorizer) : SignerPlugin(authorizer)
{
    public override string Name => "ClusterTrustBundleAttest";

    public override AdmissionOperation Operations => AdmissionOperation.Create | AdmissionOperation.Update;

    public override ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes.Group != CertificatesGroup || attributes.Resource != "clustertrustbundles")
        {
            return ValueTask.CompletedTask;
        }

        var signer = Signer(attributes.Object);
        return signer.Length == 0 ? ValueTask.CompletedTask : RequireAsync(attributes, "attest", signer, cancellationToken);
    }

    private static string Signer(ApiStruct? bundle) =>
        bundle is not null && ApiJson.ToTree(bundle).GetValueOrDefault("spec") is Dictionary<string, object?> spec && spec.GetValueOrDefault("signerName") is string name ? name : "";
}
