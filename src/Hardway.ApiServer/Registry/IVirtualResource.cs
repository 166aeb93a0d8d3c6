using Hardway.Api;
using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Registry;

/// <summary>
/// A resource or subresource that only answers creates and keeps nothing: access reviews, token reviews, serviceaccounts/token, bindings.
/// Registered by group, resource and subresource in <see cref="VirtualResources"/>. Admission has run when it is called.
/// </summary>
internal interface IVirtualResource
{
    string Group { get; }

    string Resource { get; }

    /// <summary>Empty for a resource.</summary>
    string Subresource { get; }

    /// <summary>Defaults that the schema does not know; the writer owns them like what it sent.</summary>
    void Default(ApiStruct body)
    {
    }

    /// <param name="context">The request; its Info has namespace and name.</param>
    /// <param name="body">The decoded body, of the kind that discovery names.</param>
    /// <param name="dryRun">Nothing may be changed.</param>
    /// <param name="cancellationToken">Ends when the client goes.</param>
    ValueTask<ApiStruct> CreateAsync(RequestContext context, ApiStruct body, bool dryRun, CancellationToken cancellationToken);
}

internal sealed class VirtualResources
{
    private readonly Dictionary<(string, string, string), IVirtualResource> _all = [];

    public void Add(IVirtualResource resource) => _all[(resource.Group, resource.Resource, resource.Subresource)] = resource;

    public IVirtualResource? Find(string group, string resource, string subresource) => _all.GetValueOrDefault((group, resource, subresource));
}
