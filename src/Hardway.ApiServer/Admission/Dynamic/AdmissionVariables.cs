using Hardway.Api;
using Hardway.Api.Core.V1;
using Hardway.ApiServer.Authentication;
using Hardway.ApiServer.Authorization;
using Hardway.Cel;

namespace Hardway.ApiServer.Admission.Dynamic;

/// <summary>What expressions of webhooks and policies see: object, oldObject, request, namespaceObject, authorizer, params and variables.</summary>
internal static class AdmissionVariables
{
    /// <summary>Work that all expressions of one policy may do for one request.</summary>
    public const long Budget = 10_000_000;

    private static readonly string[] s_names = ["object", "oldObject", "request", "namespaceObject", "authorizer", "params", "variables"];

    public static readonly CelEnvironment Environment = new(s_names);

    public static Dictionary<string, object?> Of(AdmissionAttributes a, IAuthorizer authorizer, Namespace? ns) => new(StringComparer.Ordinal)
    {
        ["object"] = Tree(a.Object, a),
        ["oldObject"] = Tree(a.OldObject, a),
        ["request"] = new CelLazy(() => Request(a)),
        ["namespaceObject"] = ns is null ? null : ApiJson.ToTree(ns),
        ["authorizer"] = new AuthorizerObject(authorizer, new AuthorizationAttributes { User = a.User, Verb = "" }) { RequestResource = AuthorizerObject.OfRequest(authorizer, a) },
        ["params"] = null,
    };

    public static Dictionary<string, object?>? Tree(ApiStruct? value, AdmissionAttributes a)
    {
        if (value is null)
        {
            return null;
        }

        var tree = ApiJson.ToTree(value);
        var (group, version, kind) = a.GroupVersionKind;
        tree.TryAdd("kind", kind);
        tree.TryAdd("apiVersion", group.Length == 0 ? version : group + "/" + version);
        return tree;
    }

    /// <summary>The request as in an AdmissionReview, without the objects.</summary>
    public static Dictionary<string, object?> Request(AdmissionAttributes a)
    {
        var asked = a.AsAsked ?? a;
        var request = Map(
            ("kind", KindOf(a)), ("resource", ResourceOf(a)), ("requestKind", KindOf(asked)), ("requestResource", ResourceOf(asked)),
            ("name", a.Name), ("namespace", a.Namespace), ("operation", a.Operation.ToString().ToUpperInvariant()),
            ("userInfo", ApiJson.ToTree(UserConversion.ToApi(a.User))), ("dryRun", a.DryRun));
        if (a.Subresource.Length > 0)
        {
            request["subResource"] = a.Subresource;
            request["requestSubResource"] = a.Subresource;
        }

        if (a.Options is not null)
        {
            request["options"] = ApiJson.ToTree(a.Options);
        }

        return request;
    }

    private static Dictionary<string, object?> KindOf(AdmissionAttributes a)
    {
        var (group, version, kind) = a.GroupVersionKind;
        return Map(("group", group), ("version", version), ("kind", kind));
    }

    private static Dictionary<string, object?> ResourceOf(AdmissionAttributes a) => Map(("group", a.Group), ("version", a.Version), ("resource", a.Resource));

    private static Dictionary<string, object?> Map(params (string Key, object? Value)[] entries) => entries.ToDictionary(e => e.Key, e => e.Value, StringComparer.Ordinal);
}
