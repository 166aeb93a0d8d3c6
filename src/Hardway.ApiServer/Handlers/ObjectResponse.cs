using Hardway.Api;
using Hardway.Api.Meta.V1;
using Hardway.Api.Protobuf;
using Hardway.ApiServer.Errors;
using Hardway.ApiServer.Http;
using Hardway.ApiServer.Registry;
using Hardway.ApiServer.Serving;
using Hardway.Storage.Cache;

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
    /// <param name="value">The same object, where the caller has it decoded.</param>
    /// <param name="cached">The same object in the cache, which keeps what it is turned into.</param>
    public static Task WriteAsync(RequestContext context, ApiServices services, ServedResource resource, int code, ReadOnlyMemory<byte> json, Negotiation negotiation, KubeObject? value = null, CachedObject? cached = null)
    {
        switch (negotiation.As)
        {
            case Representation.Table:
                var row = Decode(resource, json);
                var table = TablePrinter.Make(resource, [row], services.Time.GetUtcNow(), TablePrinter.IncludeObject(context));
                table.ApiVersion = negotiation.ApiVersion;
                table.Metadata.ResourceVersion = row.Metadata.ResourceVersion;
                return ResponseWriter.WriteAsync(context, code, table, negotiation.Media);
            case Representation.PartialObjectMetadata:
                return ResponseWriter.WriteAsync(context, code, Partial(resource, value ?? Decode(resource, json), negotiation), negotiation.Media);
            case Representation.PartialObjectMetadataList:
                throw Statuses.NotAcceptable($"a PartialObjectMetadataList was asked for, and this is one {resource.Info.Kind}", details: false);
            case Representation.Object when negotiation.Media == MediaType.Protobuf:
                return ResponseWriter.WriteProtobufAsync(context, code, Protobuf(resource, value ?? (cached is null ? Decode(resource, json) : null), cached));
            default:
                return ResponseWriter.WriteJsonAsync(context, code, VersionConversion.Convert(json, resource), negotiation.Media);
        }
    }

    public static PartialObjectMetadata Partial(ServedResource resource, KubeObject value, Negotiation negotiation = default) =>
        new() { Kind = "PartialObjectMetadata", ApiVersion = negotiation.Version is null ? "meta.k8s.io/v1" : negotiation.ApiVersion, Metadata = WithoutFields(value.Metadata, resource.Rules.FieldAnnotations) };

    private static ObjectMeta WithoutFields(ObjectMeta metadata, IReadOnlyList<string> annotations)
    {
        if (metadata.Annotations is not { } given || !annotations.Any(given.ContainsKey))
        {
            return metadata;
        }

        // The object may be the cache's: others read it.
        var copy = metadata.Clone();
        copy.Annotations = given.Where(a => !annotations.Contains(a.Key)).ToDictionary(StringComparer.Ordinal);
        return copy;
    }

    /// <summary>An object in protobuf in the version that the client speaks, with its envelope.</summary>
    public static byte[] Protobuf(ServedResource resource, KubeObject? value, CachedObject? cached) => ApiProtobuf.Wrap(
        resource.Info.ApiVersion,
        resource.Info.Kind,
        value is null ? ObjectStore.Message(resource, cached!).Span : ApiProtobuf.SerializeMessage(VersionConversion.Convert(value, resource.Registry.Storage, resource.Info)));

    private static KubeObject Decode(ServedResource resource, ReadOnlyMemory<byte> json) => (KubeObject)ApiJson.Deserialize(resource.Registry.Storage.Type, json.Span);
}
