using Hardway.Api.Core.V1;
using Hardway.ApiServer.Authorization.Rbac;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.Authorization.Node;

/// <summary>
/// What a kubelet (user system:node:NAME, group system:nodes) may do: read its own Node, its Pods and what those use (Secrets, ConfigMaps,
/// claims, volumes, accounts); keep its Lease and CSINode; and what the role system:node lists that concerns no one object. Whether it
/// may change just this object is the NodeRestriction plugin's business.
/// </summary>
internal sealed class NodeAuthorizer(IResourceReader reader) : IAuthorizer
{
    public const string UserPrefix = "system:node:";

    private readonly NodeGraph _graph = new(reader);
    private readonly CompiledRule[] _rules = [.. BootstrapPolicy.Read().ClusterRoles.First(r => r.Metadata.Name == "system:node").Rules!.Where(IsGeneral).Select(r => new CompiledRule(r))];

    public ValueTask<AuthorizationResult> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken cancellationToken) => ValueTask.FromResult(Authorize(attributes));

    /// <summary>The node that the user is, or null.</summary>
    public static string? NodeOf(UserInfo user) =>
        user.InGroup(UserInfo.NodesGroup) && user.Name.StartsWith(UserPrefix, StringComparison.Ordinal) && user.Name.Length > UserPrefix.Length ? user.Name[UserPrefix.Length..] : null;

    public AuthorizationResult Authorize(AuthorizationAttributes attributes) => NodeOf(attributes.User) is not { } node
        ? AuthorizationResult.NoOpinion
        : attributes.IsResource ? OfResource(node, attributes) : ByRules(attributes);

    private AuthorizationResult OfResource(string node, AuthorizationAttributes a) => (a.Group, a.Resource) switch
    {
        ("", "secrets" or "configmaps") => Used(node, a, a.Verb is "get" or "list" or "watch" && a.Subresource.Length == 0),
        ("", "persistentvolumeclaims") => Used(node, a, (a.Subresource.Length == 0 && a.Verb == "get") || (a.Subresource == "status" && a.Verb is "get" or "update" or "patch")),
        ("", "persistentvolumes") => Used(node, a, a.Subresource.Length == 0 && a.Verb == "get"),
        ("storage.k8s.io", "volumeattachments") => Used(node, a, a.Subresource.Length == 0 && a.Verb == "get"),
        ("resource.k8s.io", "resourceclaims") => Used(node, a, a.Subresource.Length == 0 && a.Verb == "get"),
        ("", "serviceaccounts") => Used(node, a, (a.Subresource == "token" && a.Verb == "create") || (a.Subresource.Length == 0 && a.Verb == "get")),
        ("coordination.k8s.io", "leases") => Lease(node, a),
        ("storage.k8s.io", "csinodes") => Own(node, a, a.Subresource.Length == 0 && a.Verb is "get" or "create" or "update" or "patch" or "delete", "CSINode"),
        ("resource.k8s.io", "resourceslices") => Slice(node, a),
        ("", "nodes") => OwnNode(node, a),
        ("", "pods") => OwnPods(node, a),
        _ => ByRules(a),
    };

    private AuthorizationResult ByRules(AuthorizationAttributes a) =>
        _rules.Any(r => a.IsResource ? r.AllowsResource(a.Verb, a.Group, a.Resource, a.Subresource, a.Name) : r.AllowsPath(a.Verb, a.Path)) ? AuthorizationResult.Allow() : AuthorizationResult.NoOpinion;

    private AuthorizationResult Used(string node, AuthorizationAttributes a, bool isPossible) =>
        !isPossible ? No("the node may not do that with such objects")
        : a.Name.Length == 0 ? No("No Object name found")
        : _graph.Uses(node, a.Resource, a.Namespace, a.Name) ? AuthorizationResult.Allow()
        : No($"no relationship found between node '{node}' and this object");

    private static AuthorizationResult Lease(string node, AuthorizationAttributes a) =>
        a.Namespace != "kube-node-lease" ? No("can only access leases in the \"kube-node-lease\" system namespace") : Own(node, a, a.Subresource.Length == 0 && a.Verb is "get" or "create" or "update" or "patch" or "delete", "node lease");

    private static AuthorizationResult Own(string node, AuthorizationAttributes a, bool isPossible, string what) =>
        !isPossible ? No($"can only get, create, update, patch, or delete a {what}")
        : a.Verb != "create" && a.Name != node ? No($"can only access {what} with the same name as the requesting node")
        : AuthorizationResult.Allow();

    private static AuthorizationResult Slice(string node, AuthorizationAttributes a) => a.Verb switch
    {
        "create" or "get" or "update" or "patch" or "delete" => AuthorizationResult.Allow(),
        "list" or "watch" or "deletecollection" when Selects(a.FieldSelector, "spec.nodeName", node) => AuthorizationResult.Allow(),
        _ => No("can only list/watch/deletecollection resourceslices with spec.nodeName field selector"),
    };

    private static AuthorizationResult OwnNode(string node, AuthorizationAttributes a) => (a.Subresource, a.Verb) switch
    {
        ("", "create" or "update" or "patch") => AuthorizationResult.Allow(),
        ("", "get" or "list" or "watch") when a.Name == node => AuthorizationResult.Allow(),
        ("", "get" or "list" or "watch") => No($"node '{node}' cannot read " + (a.Name.Length == 0 ? "all nodes, only its own Node object" : $"'{a.Name}', only its own Node object")),
        ("status", "update" or "patch") => AuthorizationResult.Allow(),
        _ => AuthorizationResult.NoOpinion,
    };

    private AuthorizationResult OwnPods(string node, AuthorizationAttributes a) => (a.Subresource, a.Verb) switch
    {
        ("", "create" or "delete") or ("status", "update" or "patch") or ("eviction", "create") => AuthorizationResult.Allow(),
        ("", "get") => _graph.Runs(node, a.Namespace, a.Name) ? AuthorizationResult.Allow() : No($"no relationship found between node '{node}' and this object"),
        ("", "list" or "watch") when Selects(a.FieldSelector, "spec.nodeName", node) => AuthorizationResult.Allow(),
        ("", "list" or "watch") when a.Name.Length > 0 && _graph.Runs(node, a.Namespace, a.Name) => AuthorizationResult.Allow(),
        ("", "list" or "watch") => No("can only list/watch pods with spec.nodeName field selector"),
        _ => AuthorizationResult.NoOpinion,
    };

    /// <summary>Does the selector ask for that one value?</summary>
    private static bool Selects(string selector, string field, string value) =>
        selector.Split(',').Any(term => term == $"{field}={value}" || term == $"{field}=={value}");

    /// <summary>Rules about objects that are decided above do not count.</summary>
    private static bool IsGeneral(Api.Rbac.V1.PolicyRule rule) =>
        rule.Resources is null || !rule.Resources.Any(r => r is "nodes" or "nodes/status" or "pods" or "pods/status" or "pods/eviction" or "secrets" or "configmaps" or "persistentvolumes" or "persistentvolumeclaims"
            or "persistentvolumeclaims/status" or "leases" or "volumeattachments" or "serviceaccounts" or "serviceaccounts/token" or "csinodes" or "resourceclaims" or "resourceslices");

    private static AuthorizationResult No(string reason) => new(Decision.NoOpinion, reason);
}
