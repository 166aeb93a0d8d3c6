using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Hardway.Api;
using Hardway.Api.Protobuf;

namespace Hardway.ApiServer.OpenApi;

/// <summary>A document and the hash that clients cache it by; in protobuf once somebody asked for that.</summary>
internal sealed class OpenApiDocument(byte[] json, Func<byte[], byte[]> toProtobuf)
{
    private readonly Lazy<byte[]> _protobuf = new(() => toProtobuf(json));

    public byte[] Json => json;

    public string Hash { get; } = Convert.ToHexString(SHA512.HashData(json));

    public byte[] Protobuf => _protobuf.Value;
}

/// <summary>
/// The OpenAPI documents of the served resources, made on first use and kept: /openapi/v3 (an index, and a document a group version) and
/// /openapi/v2. Safe for all threads.
/// </summary>
internal sealed class OpenApiDocuments(IReadOnlyList<ResourceInfo> served, CustomSchemas custom)
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private readonly ConcurrentDictionary<string, Lazy<OpenApiDocument>> _documents = new(StringComparer.Ordinal);

    /// <summary>Paths without resources: they have documents too, with their own path alone.</summary>
    private static readonly string[] s_plain = [".well-known/openid-configuration", "api", "apis", "openid/v1/jwks", "version"];

    /// <summary>The index: each document's address with its hash.</summary>
    public OpenApiDocument Index() => Get("index", writer =>
    {
        writer.WriteStartObject();
        writer.WriteStartObject("paths");
        foreach (var path in Paths())
        {
            writer.WriteStartObject(path);
            writer.WriteString("serverRelativeURL", $"/openapi/v3/{path}?hash={V3(path)!.Hash}");
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    /// <summary>The document of "api/v1" or "apis/apps/v1"; null where nothing is served there.</summary>
    public OpenApiDocument? V3(string path) => Paths().Contains(path) ? Get("v3/" + path, writer => WriteV3(writer, path)) : null;

    public OpenApiDocument V2() => Get("v2", writer =>
    {
        var schemas = new SchemaWriter(writer, v3: false, custom);
        writer.WriteStartObject();
        writer.WriteString("swagger", "2.0");
        WriteInfo(writer);
        writer.WriteStartObject("paths");
        var paths = new PathWriter(writer, schemas, v3: false);
        foreach (var resource in served)
        {
            paths.WriteResource(resource);
        }

        writer.WriteEndObject();
        // Before the definitions: the bodies of some parameters refer to them.
        writer.WriteStartObject("parameters");
        paths.WriteSharedParameters();
        writer.WriteEndObject();
        writer.WriteStartObject("definitions");
        schemas.WriteAll();
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    private SortedSet<string> Paths()
    {
        var paths = new SortedSet<string>(s_plain, StringComparer.Ordinal);
        foreach (var resource in served)
        {
            paths.Add(resource.BasePath[1..]);
            if (resource.Group.Length > 0)
            {
                paths.Add("apis/" + resource.Group);
            }
        }

        return paths;
    }

    private void WriteV3(Utf8JsonWriter writer, string path)
    {
        var schemas = new SchemaWriter(writer, v3: true, custom);
        writer.WriteStartObject();
        writer.WriteString("openapi", "3.0.0");
        WriteInfo(writer);
        writer.WriteStartObject("paths");
        var paths = new PathWriter(writer, schemas, v3: true);
        foreach (var resource in served.Where(r => r.BasePath == "/" + path))
        {
            paths.WriteResource(resource);
            schemas.Want(resource.Type.FullName);
        }

        writer.WriteEndObject();
        writer.WriteStartObject("components");
        writer.WriteStartObject("schemas");
        schemas.WriteAll();
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteInfo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("info");
        writer.WriteString("title", "Kubernetes");
        writer.WriteString("version", "v1.36.0");
        writer.WriteEndObject();
    }

    private OpenApiDocument Get(string key, Action<Utf8JsonWriter> write) => _documents.GetOrAdd(key, _ => new Lazy<OpenApiDocument>(() =>
    {
        var buffer = new ArrayBufferWriter<byte>(1 << 16);
        using (var writer = new Utf8JsonWriter(buffer, s_options))
        {
            write(writer);
        }

        var json = buffer.WrittenSpan.ToArray();
        return new OpenApiDocument(json, key == "v2" ? d => OpenApiProtobuf.V2(d) : d => OpenApiProtobuf.V3(d));
    })).Value;
}
