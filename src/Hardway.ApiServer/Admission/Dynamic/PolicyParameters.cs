using Hardway.Api;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Registry;
using Hardway.Cel;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>The objects that a binding gives to its policy as params. Of built-in kinds these are the ones that can be: configuration, in the namespace asked or named.</summary>
internal sealed class PolicyParameters(IResourceReader reader)
{
    /// <summary>One entry for each object to judge by; a single null where the policy takes none. Empty: none found, and that is allowed.</summary>
    public IReadOnlyList<Dictionary<string, object?>?> Find(ParamKind? kind, ParamRef? reference, AdmissionAttributes attributes)
    {
        if (kind is null)
        {
            return [null];
        }

        if (reference is null)
        {
            return [null];
        }

        var ns = reference.Namespace.Length > 0 ? reference.Namespace : attributes.Namespace;
        var found = (kind.ApiVersion, kind.Kind) switch
        {
            ("v1", "ConfigMap") => Of<ConfigMap>(ns, reference),
            ("v1", "Secret") => Of<Secret>(ns, reference),
            ("v1", "LimitRange") => Of<LimitRange>(ns, reference),
            ("v1", "ResourceQuota") => Of<ResourceQuota>(ns, reference),
            _ => throw new CelException($"failed to configure binding: params of kind {kind.Kind} in {kind.ApiVersion} cannot be read by this server"),
        };
        return found.Count > 0 || reference.ParameterNotFoundAction == "Allow" ? found : throw new CelException("failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction");
    }

    private List<Dictionary<string, object?>?> Of<T>(string ns, ParamRef reference)
        where T : KubeObject, IApiType<T>, new()
    {
        if (reference.Name.Length > 0)
        {
            return reader.Get<T>(ns, reference.Name) is { } one ? [ApiJson.ToTree(one)] : [];
        }

        var selector = reference.Selector is null ? Selector.Everything : Selector.From(reference.Selector);
        return [.. reader.List<T>(ns).Where(v => selector.Matches(v.Metadata.Labels)).Select(v => (Dictionary<string, object?>?)ApiJson.ToTree(v))];
    }
}
