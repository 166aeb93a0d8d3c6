namespace Hardway.ApiServer.OpenApi;

/// <summary>
/// The parameters that version 2 describes once (#/parameters/NAME) and refers to where they are used. Clients are generated with these names, so they
/// are the ones of Kubernetes' published document; the second half of each is a hash there, of a text that is not ours. name, dryRun and fieldValidation
/// are written out everywhere, because kubectl looks for the latter two in the operations themselves.
/// </summary>
internal static class SharedParameters
{
    private const string DeleteOptions = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";

    /// <summary>The shared name of a parameter of a path or query; null for one that is written out.</summary>
    public static string? Of(string name, string action) => name switch
    {
        "allowWatchBookmarks" => "allowWatchBookmarks-HC2hJt-J",
        "continue" => "continue-QfD61s0i",
        "fieldManager" => action == "patch" ? "fieldManager-7c6nTn1T" : "fieldManager-Qy4HdaTW",
        "fieldSelector" => "fieldSelector-xIcQKXFG",
        "force" => "force-tOGGb0Yi",
        "gracePeriodSeconds" => "gracePeriodSeconds--K5HaBOS",
        "ignoreStoreReadErrorWithClusterBreakingPotential" => "ignoreStoreReadErrorWithClusterBreakingPotential-QbNkfIqj",
        "labelSelector" => "labelSelector-5Zw57w4C",
        "limit" => "limit-1NfNmdNH",
        "namespace" => "namespace-vgWSWtn3",
        "orphanDependents" => "orphanDependents-uRB25kX5",
        "pretty" => "pretty-tJGM1-ng",
        "propagationPolicy" => "propagationPolicy-6jk3prlO",
        "resourceVersion" => "resourceVersion-5WAnf1kx",
        "resourceVersionMatch" => "resourceVersionMatch-t8XhRHeC",
        "sendInitialEvents" => "sendInitialEvents-rLXlEK_k",
        "timeoutSeconds" => "timeoutSeconds-yvYezaOC",
        "watch" => "watch-XNNPZGbK",
        _ => null,
    };

    /// <summary>The shared name of a request's body by its type; null for the types of resources.</summary>
    public static string? OfBody(string type) => type switch
    {
        DeleteOptions => "body-2Y1dVQaQ",
        SchemaWriter.Patch => "body-78PwaGsr",
        _ => null,
    };
}
