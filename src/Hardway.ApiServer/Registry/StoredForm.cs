using Hardway.Api;
using Hardway.Api.Meta.V1;

namespace Hardway.ApiServer.Registry;

/// <summary>What stands in the store: JSON as we and upstream (for custom resources) write it.</summary>
internal static class StoredForm
{
    private static ReadOnlySpan<byte> ProtobufMagic => [0x6b, 0x38, 0x73, 0x00];

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

        throw span.StartsWith(ProtobufMagic)
            ? new ApiDecodeException($"the stored {registry?.Kind ?? "object"} is in protobuf, which is not read yet")
            : new ApiDecodeException("the stored object is neither JSON nor protobuf");
    }

    public static ObjectMeta Meta(KubeObject value) => value.Metadata;
}
