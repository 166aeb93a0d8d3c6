using System.Text.Json;
using Hardway.Api;
using Hardway.Api.Protobuf;

namespace Hardway.ApiServer.Registry;

/// <summary>
/// What stands in the store: JSON, or protobuf where --storage-media-type says so and the kind has it. Either is read, whichever server
/// wrote it, in any version of its kind.
/// </summary>
internal static class StoredForm
{
    /// <summary>
    /// Upstream keeps built-in kinds in protobuf, where an empty list cannot be told from none, so every answer after a write has none: null in JSON, where
    /// the field is always shown. Custom objects, definitions and APIServices are JSON there, and keep what was written.
    /// </summary>
    public static byte[] Encode(ResourceRegistry registry, KubeObject value)
    {
        if (!registry.IsCustom && !IsJsonEverywhere(registry))
        {
            ApiValues.ForgetEmpty(value);
        }

        return Encode(value);
    }

    /// <summary>Definitions and APIServices are JSON in every server's store.</summary>
    public static bool IsJsonEverywhere(ResourceRegistry registry) => registry.Group is "apiextensions.k8s.io" or "apiregistration.k8s.io";

    /// <summary>The encoding of which clients' answers are made: JSON without resourceVersion.</summary>
    public static byte[] Encode(KubeObject value) => WithoutVersion(value, ApiJson.Serialize);

    public static byte[] EncodeProtobuf(KubeObject value) => WithoutVersion(value, ApiProtobuf.Serialize);

    private static byte[] WithoutVersion(KubeObject value, Func<ApiStruct, byte[]> encode)
    {
        var kept = value.Metadata.ResourceVersion;
        value.Metadata.ResourceVersion = "";
        try
        {
            return encode(value);
        }
        finally
        {
            value.Metadata.ResourceVersion = kept;
        }
    }

    /// <summary>The stored bytes as JSON in the storage version.</summary>
    /// <exception cref="ApiDecodeException">The bytes are in no known form.</exception>
    public static ReadOnlyMemory<byte> ToJson(ReadOnlyMemory<byte> stored, ResourceRegistry? registry)
    {
        var span = stored.Span;
        if (span.Length > 0 && span[0] == (byte)'{')
        {
            // Go's encoder ends a document with a line feed.
            var json = span[^1] == (byte)'\n' ? stored[..^1] : stored;
            return registry is null || registry.IsCustom || span.StartsWith(registry.Envelope.Span) ? json : ToStorageVersion(json, registry);
        }

        if (!ApiProtobuf.IsProtobuf(span))
        {
            throw new ApiDecodeException("the stored object is neither JSON nor protobuf");
        }

        return FromProtobuf(stored, registry);
    }

    /// <summary>JSON that another version of us or of upstream wrote.</summary>
    private static ReadOnlyMemory<byte> ToStorageVersion(ReadOnlyMemory<byte> json, ResourceRegistry registry)
    {
        var (version, kind) = ReadType(json.Span);
        if (version == registry.Storage.ApiVersion || kind != registry.Kind)
        {
            return json;
        }

        var (group, name) = Split(version);
        return ApiCatalog.FindKindSchema(group, name, kind) is { } type && ApiCatalog.FindKind(group, name, kind) is { } from
            ? ApiJson.Serialize(VersionConversion.Convert((KubeObject)ApiJson.Deserialize(type, json.Span), from, registry.Storage))
            : throw new ApiDecodeException($"a stored {kind} of {version} is of no known version");
    }

    private static (string ApiVersion, string Kind) ReadType(ReadOnlySpan<byte> json)
    {
        var (version, kind) = ("", "");
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = ApiJson.MaxDepth });
        reader.Read();
        while ((version.Length == 0 || kind.Length == 0) && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var (isVersion, isKind) = (reader.ValueTextEquals("apiVersion"u8), reader.ValueTextEquals("kind"u8));
            reader.Read();
            if ((isVersion || isKind) && reader.TokenType == JsonTokenType.String)
            {
                (version, kind) = isVersion ? (reader.GetString()!, kind) : (version, reader.GetString()!);
            }
            else
            {
                reader.Skip();
            }
        }

        return (version, kind);
    }

    private static (string Group, string Version) Split(string apiVersion)
    {
        var slash = apiVersion.IndexOf('/');
        return slash < 0 ? ("", apiVersion) : (apiVersion[..slash], apiVersion[(slash + 1)..]);
    }

    /// <summary>As upstream writes built-in kinds; in whatever version it chose.</summary>
    private static byte[] FromProtobuf(ReadOnlyMemory<byte> stored, ResourceRegistry? registry)
    {
        var envelope = ApiProtobuf.ReadEnvelope(stored);
        var (group, version) = Split(envelope.ApiVersion);
        var type = ApiCatalog.FindKindSchema(group, version, envelope.Kind) ?? throw new ApiDecodeException($"a stored {envelope.Kind} of {envelope.ApiVersion} is of no known kind");
        var value = ApiProtobuf.Deserialize(type, stored) as KubeObject ?? throw new ApiDecodeException($"a stored {envelope.Kind} is no object with metadata");
        var from = ApiCatalog.FindKind(group, version, envelope.Kind);
        return ApiJson.Serialize(registry is null || from is null ? value : VersionConversion.Convert(value, from, registry.Storage));
    }
}
