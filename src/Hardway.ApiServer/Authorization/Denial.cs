using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Authorization;

/// <summary>The answer to somebody who may not.</summary>
internal static class Denial
{
    public static ApiException Of(AuthorizationAttributes attributes, string reason)
    {
        var text = Describe(attributes) + (reason.Length == 0 ? "" : ": " + reason);
        return attributes.IsResource ? Statuses.Forbidden(attributes.Group, attributes.Resource, attributes.Name, text) : Statuses.ForbiddenPath("forbidden: " + text);
    }

    private static string Describe(AuthorizationAttributes attributes)
    {
        if (!attributes.IsResource)
        {
            return $"User \"{attributes.User.Name}\" cannot {attributes.Verb} path \"{attributes.Path}\"";
        }

        var resource = attributes.Subresource.Length == 0 ? attributes.Resource : attributes.Resource + "/" + attributes.Subresource;
        var where = attributes.Namespace.Length == 0 ? "at the cluster scope" : $"in the namespace \"{attributes.Namespace}\"";
        return $"User \"{attributes.User.Name}\" cannot {attributes.Verb} resource \"{resource}\" in API group \"{attributes.Group}\" {where}";
    }
}
