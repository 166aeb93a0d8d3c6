using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;

namespace Hardway.ApiServer.FlowControl;

/// <summary>How many seats a request takes: one, and a list one more for each hundred objects that it goes through, up to ten.</summary>
internal static class SeatEstimate
{
    private const int ObjectsASeat = 100;
    private const int Most = 10;

    public static int Of(RequestInfo info, ResourceScheme scheme, ObjectStore objects)
    {
        if (info.Verb != "list" || info.Name.Length > 0 || scheme.Find(info.Group, info.Version, info.Resource) is not { } resource)
        {
            return 1;
        }

        // Of one namespace's objects there is no number at hand; they are few beside the whole.
        return info.Namespace.Length > 0 ? 1 : Math.Clamp(1 + (objects.Cache.Snapshot(resource.Registry.Collection("")).PartitionCount / ObjectsASeat), 1, Most);
    }
}
