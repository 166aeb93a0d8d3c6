using Hardway.ApiServer.Authorization.Node;
using Hardway.ApiServer.Authorization.Rbac;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Authorization;

/// <summary>The authorizers as configured. Members of system:masters may do everything, whatever the modes say.</summary>
internal sealed class AuthorizationStack
{
    public AuthorizationStack(AuthorizationOptions options, IResourceReader reader)
    {
        Rbac = new RbacAuthorizer(reader);
        Authorizer = new AuthorizerChain([new MastersAuthorizer(), .. options.Modes.Select(IAuthorizer (mode) => mode switch
        {
            "RBAC" => Rbac,
            "Node" => new NodeAuthorizer(reader),
            "AlwaysAllow" => new AlwaysAllowAuthorizer(),
            "AlwaysDeny" => new AlwaysDenyAuthorizer(),
            _ => throw new ArgumentException(mode, nameof(options)),
        })]);
        UsesRbac = options.Modes.Contains("RBAC");
    }

    public IAuthorizer Authorizer { get; }

    public RbacAuthorizer Rbac { get; }

    /// <summary>Do roles and bindings count here (and do the default ones have to be there)?</summary>
    public bool UsesRbac { get; }
}
