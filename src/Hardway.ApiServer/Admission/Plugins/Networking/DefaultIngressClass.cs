using Hardway.Api.Networking.V1;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Admission.Plugins.Networking;

/// <summary>An Ingress that names no class gets the default one, the newest where there are several.</summary>
internal sealed class DefaultIngressClass(IResourceReader reader) : AdmissionPlugin
{
    private const string IsDefault = "ingressclass.kubernetes.io/is-default-class";
    private const string LegacyClass = "kubernetes.io/ingress.class";

    public override string Name => "DefaultIngressClass";

    public override AdmissionOperation Operations => AdmissionOperation.Create;

    public override ValueTask AdmitAsync(AdmissionAttributes attributes, CancellationToken cancellationToken)
    {
        if (attributes is { Subresource: "", Object: Ingress { Spec.IngressClassName: null } ingress } && !(ingress.Metadata.Annotations?.ContainsKey(LegacyClass) ?? false))
        {
            ingress.Spec.IngressClassName = reader.List<IngressClass>()
                .Where(c => c.Metadata.Annotations?.GetValueOrDefault(IsDefault) == "true")
                .OrderByDescending(c => c.Metadata.CreationTimestamp).ThenBy(c => c.Metadata.Name, StringComparer.Ordinal).FirstOrDefault()?.Metadata.Name;
        }

        return ValueTask.CompletedTask;
    }
}
