using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Admission.Plugins.Networking;

/// <summary>No Service takes over addresses that are not the cluster's (CVE-2020-8554). Off by default.</summary>
internal sealed class DenyServiceExternalIPs : AdmissionPlugin
{
    public override string Name => "DenyServiceExternalIPs";

    public override ValueTask ValidateAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes is { Subresource: "", Object: Service service } && (service.Spec.ExternalIPs ?? []).Except((attributes.OldObject as Service)?.Spec.ExternalIPs ?? []).Any())
        {
            throw Statuses.Forbidden("", "services", attributes.Name, "Use of external IPs is denied by admission control.");
        }

        return ValueTask.CompletedTask;
    }
}
