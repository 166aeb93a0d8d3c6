using Hardway.Api;
using Hardway.Api.AdmissionRegistration.V1;
using Hardway.ApiServer.Registry;
using Hardway.Cel;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>The objects that a binding gives to its policy as params: of any served kind, in the namespace named or the request's.</summary>
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
        var served = reader.OfKind(kind.ApiVersion, kind.Kind, ns) ?? throw new CelException($"failed to configure policy: failed to find resource referenced by paramKind: '{kind.ApiVersion}, Kind={kind.Kind}'");
        if (!served.IsNamespaced && reference.Namespace.Length > 0)
        {
            throw new CelException("failed to configure binding: paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
        }

        if (served.IsNamespaced && ns.Length == 0)
        {
            throw new CelException("failed to configure binding: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
        }

        var selector = reference.Selector is null ? Selector.Everything : Selector.From(reference.Selector);
        var found = served.Objects
            .Where(v => reference.Name.Length > 0 ? v.Metadata.Name == reference.Name : selector.Matches(v.Metadata.Labels))
            .Select(v => (Dictionary<string, object?>?)ApiJson.ToTree(v)).ToList();
        return found.Count > 0 || reference.ParameterNotFoundAction == "Allow" ? found : throw new CelException("failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction");
    }
}
