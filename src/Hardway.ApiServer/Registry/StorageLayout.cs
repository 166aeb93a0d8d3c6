using Hardway.Api;

namespace Hardway.ApiServer.Registry;

/// <summary>Where kinds stand in the store, as upstream lays them out, so that either server can start on the other's data.</summary>
internal static class StorageLayout
{
    public const string Root = "/registry/";

    /// <summary>Keys under these are no objects of the API.</summary>
    public static bool IsObject(string partition) => partition is not ("masterleases" or "ranges" or "health" or "compact_rev_key" or "peerserverleases");

    public static string Prefix(ResourceInfo resource) => (resource.Group, resource.Plural) switch
    {
        ("", "services") => Root + "services/specs",
        ("", "endpoints") => Root + "services/endpoints",
        ("", "nodes") => Root + "minions",
        ("", "replicationcontrollers") => Root + "controllers",
        ("networking.k8s.io", "ingresses") => Root + "ingress",
        ("events.k8s.io", "events") => Root + "events",
        ("apiregistration.k8s.io" or "apiextensions.k8s.io", _) => Root + resource.Group + "/" + resource.Plural,
        _ => Root + resource.Plural,
    };

    public static string CustomPrefix(string group, string plural) => Root + group + "/" + plural;
}
