using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Registry;

/// <summary>The namespace of a body must be the one of the path.</summary>
internal static class Namespaces
{
    public static void Match(ResourceRegistry registry, string asked, ObjectMeta meta)
    {
        if (!registry.Namespaced)
        {
            if (meta.Namespace.Length > 0 && asked.Length == 0)
            {
                throw Statuses.BadRequest("namespace may not be set on cluster-scoped objects");
            }

            return;
        }

        if (meta.Namespace.Length == 0)
        {
            meta.Namespace = asked;
        }
        else if (meta.Namespace != asked)
        {
            throw Statuses.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        }
    }
}
