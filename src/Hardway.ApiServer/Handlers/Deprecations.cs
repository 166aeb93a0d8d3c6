using Hardway.ApiServer.Http;

namespace Hardway.ApiServer.Handlers;

/// <summary>Resources that are on their way out: every answer about them warns.</summary>
internal static class Deprecations
{
    private static readonly string[] s_none = [];
    private static readonly string[] s_endpoints = ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"];
    private static readonly string[] s_componentStatus = ["v1 ComponentStatus is deprecated in v1.19+"];

    public static IReadOnlyList<string> Of(RequestInfo info) => (info.Group, info.Resource) switch
    {
        ("", "endpoints") => s_endpoints,
        ("", "componentstatuses") => s_componentStatus,
        _ => s_none,
    };
}
