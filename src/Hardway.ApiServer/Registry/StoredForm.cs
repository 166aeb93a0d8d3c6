using Hardway.Api;
using Hardway.Api.Protobuf;

namespace Hardway.ApiServer.Registry;

/// <summary>What stands in the store: JSON as we and upstream (for custom resources) write it.</summary>
internal static class StoredForm
{
    /// <summary>The encoding for the store: without resourceVersion.</summary>
    public static byte[] Encode(KubeObject value)
    {
        var kept = value.Metadata.ResourceVersion;
        value.Metadata.ResourceVersion = "";
        try
        {
            return ApiJson.Serialize(value);
        }
        finally
        {
            value.Metadata.ResourceVersion = kept;
        }
    }

    /// <summary>The stored bytes as JSON.</summary>
    /// <exception cref="ApiDecodeException">The bytes are in no known form.</exception>
    public static ReadOnlyMemory<byte> ToJson(ReadOnlyMemory<byte> stored, ResourceRegistry? registry)
    {
        var span = stored.Span;
        if (span.Length > 0 && span[0] == (byte)'{')
        {
            // Go's encoder ends a document with a line feed.
            return span[^1] == (byte)'\n' ? stored[..^1] : stored;
        }

        if (!ApiProtobuf.IsProtobuf(span))
        {
            throw new ApiDecodeException("the stored object is neither JSON nor protobuf");
        }

        return FromProtobuf(stored, registry);
    }

    /// <summary>As upstream writes built-in kinds; in whatever version it chose.</summary>
    private static byte[] FromProtobuf(ReadOnlyMemory<byte> stored, ResourceRegistry? registry)
    {
        var envelope = ApiProtobuf.ReadEnvelope(stored);
        var slash = envelope.ApiVersion.IndexOf('/');
        var (group, version) = slash < 0 ? ("", envelope.ApiVersion) : (envelope.ApiVersion[..slash], envelope.ApiVersion[(slash + 1)..]);
        var type = ApiCatalog.FindKindSchema(group, version, envelope.Kind) ?? throw new ApiDecodeException($"a stored {envelope.Kind} of {envelope.ApiVersion} is of no known kind");
        var value = (KubeObject)ApiProtobuf.Deserialize(type, stored);
        var from = ApiCatalog.FindKind(group, version, envelope.Kind);
        return ApiJson.Serialize(registry is null || from is null ? value : VersionConversion.Convert(value, from, registry.Storage));
    }
}
