using Hardway.Api.Core.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Rules.Core;

/// <summary>The paths that the downward API knows.</summary>
internal static class FieldReference
{
    public static readonly string[] Environment =
    [
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
    ];

    public static readonly string[] File = ["metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations"];

    private static readonly string[] s_known = [.. Environment.Concat(File).Distinct(), "spec.restartPolicy", "status.phase", "spec.schedulerName", "status.nominatedNodeName"];

    private static readonly string[] s_resources =
        ["limits.cpu", "limits.memory", "limits.ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage"];

    public static void Check(ErrorList errors, FieldPath path, ObjectFieldSelector selector, string[] allowed)
    {
        if (selector.ApiVersion.Length == 0)
        {
            errors.Required(path.Child("apiVersion"));
            return;
        }

        var field = selector.FieldPath;
        if (field.Length == 0)
        {
            errors.Required(path.Child("fieldPath"));
            return;
        }

        if (field.EndsWith("']", StringComparison.Ordinal))
        {
            Subscript(errors, path.Child("fieldPath"), field);
            return;
        }

        if (!s_known.Contains(field))
        {
            errors.Invalid(path.Child("fieldPath"), field, "is no field that a Pod can be asked for");
        }
        else if (!allowed.Contains(field))
        {
            errors.NotSupported(path.Child("fieldPath"), field, allowed);
        }
    }

    public static void CheckResource(ErrorList errors, FieldPath path, ResourceFieldSelector selector, bool needContainer)
    {
        if (needContainer && selector.ContainerName.Length == 0)
        {
            errors.Required(path.Child("containerName"));
        }

        if (selector.Resource.Length == 0)
        {
            errors.Required(path.Child("resource"));
        }
        else if (!s_resources.Contains(selector.Resource) && !IsHugePages(selector.Resource))
        {
            errors.NotSupported(path.Child("resource"), selector.Resource, s_resources);
        }
    }

    private static bool IsHugePages(string resource) =>
        resource.StartsWith("limits.hugepages-", StringComparison.Ordinal) || resource.StartsWith("requests.hugepages-", StringComparison.Ordinal);

    private static void Subscript(ErrorList errors, FieldPath path, string field)
    {
        var at = field.IndexOf("['", StringComparison.Ordinal);
        var map = at < 0 ? field : field[..at];
        var key = at < 0 ? "" : field[(at + 2)..^2];
        if (map is not ("metadata.labels" or "metadata.annotations"))
        {
            errors.Invalid(path, field, "does not support a key in brackets");
        }
        else if (!Names.IsQualifiedName(map == "metadata.labels" ? key : key.ToLowerInvariant()))
        {
            errors.Invalid(path, key, "is no qualified name");
        }
    }
}
