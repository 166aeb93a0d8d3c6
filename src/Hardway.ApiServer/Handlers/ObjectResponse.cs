using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;

namespace Hardway.ApiServer.Handlers;

/// <summary>One object as the client wants to see it: itself, a table of one row, or its metadata.</summary>
internal static class ObjectResponse
{
    /// <param name="context">The request.</param>
    /// <param name="services">The server's parts.</param>
    /// <param name="resource">In which version it is shown.</param>
    /// <param name="code">200 or 201.</param>
    /// <param name="json">The object in its storage version, with resourceVersion.</param>
    /// <param name="negotiation">What the client accepts.</param>
    public static Task WriteAsync(RequestContext context, ApiServices services, ServedResource resource, int code, ReadOnlyMemory<byte> json, Negotiation negotiation)
    {
        switch (negotiation.As)
        {
            case Representation.Table:
                var value = Decode(resource, json);
                var table = TablePrinter.Make(resource, [value], services.Time.GetUtcNow(), TablePrinter.IncludeObject(context));
                table.Metadata.ResourceVersion = value.Metadata.ResourceVersion;
                return ResponseWriter.WriteAsync(context, code, table, negotiation.Media);
            case Representation.PartialObjectMetadata:
                return ResponseWriter.WriteAsync(context, code, Partial(Decode(resource, json)), negotiation.Media);
            default:
                return ResponseWriter.WriteJsonAsync(context, code, VersionConversion.Convert(json, resource), negotiation.Media);
        }
    }

    public static PartialObjectMetadata Partial(KubeObject value) => new() { Kind = "PartialObjectMetadata", ApiVersion = "meta.k8s.io/v1", Metadata = value.Metadata };

    private static KubeObject Decode(ServedResource resource, ReadOnlyMemory<byte> json) => (KubeObject)ApiJson.Deserialize(resource.Registry.Storage.Type, json.Span);
}
