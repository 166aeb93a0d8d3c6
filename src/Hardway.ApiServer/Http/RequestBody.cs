using System.Buffers;
using System.Text;
using Hardway.Api;
using Hardway.ApiServer.Errors;
using Microsoft.AspNetCore.Http;

namespace Hardway.ApiServer.Http;

/// <summary>Reads a request's body, bounded, and turns what it is written in into JSON.</summary>
internal static class RequestBody
{
    public const int MaxBytes = 3 * 1024 * 1024;

    public static async Task<ReadOnlyMemory<byte>> ReadAsync(RequestContext context)
    {
        var request = context.Request;
        if (request.ContentLength > MaxBytes)
        {
            throw TooLarge();
        }

        var buffer = new ArrayBufferWriter<byte>((int)(request.ContentLength is > 0 and var length ? length : 1024));
        try
        {
            while (true)
            {
                var result = await request.BodyReader.ReadAsync(context.Aborted).ConfigureAwait(false);
                foreach (var segment in result.Buffer)
                {
                    buffer.Write(segment.Span);
                }

                request.BodyReader.AdvanceTo(result.Buffer.End);
                if (buffer.WrittenCount > MaxBytes)
                {
                    throw TooLarge();
                }

                if (result.IsCompleted)
                {
                    return buffer.WrittenMemory;
                }
            }
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw TooLarge();
        }
    }

    /// <summary>The media type of the body without its parameters.</summary>
    public static string Type(HttpRequest request)
    {
        var type = request.ContentType ?? "";
        var end = type.IndexOf(';');
        return (end < 0 ? type : type[..end]).Trim().ToLowerInvariant();
    }

    /// <summary>The body as JSON, whether it was sent as JSON or as YAML.</summary>
    /// <param name="context">The request.</param>
    /// <param name="repeated">Gets the keys that stand twice in YAML; without it they are an error.</param>
    public static async Task<ReadOnlyMemory<byte>> ReadJsonAsync(RequestContext context, List<string>? repeated = null)
    {
        var type = Type(context.Request);
        if (type is not ("" or "application/json" or "application/yaml"))
        {
            throw Statuses.UnsupportedMediaType($"the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, not {type}");
        }

        var body = await ReadAsync(context).ConfigureAwait(false);
        return type == "application/yaml" ? FromYaml(body, repeated) : body;
    }

    /// <summary>A body in protobuf is decoded by its reader; all others are turned into JSON.</summary>
    public static bool IsProtobuf(HttpRequest request) => Type(request) == Hardway.Api.Protobuf.ApiProtobuf.MediaType;

    public static ReadOnlyMemory<byte> FromYaml(ReadOnlyMemory<byte> body, List<string>? repeated = null)
    {
        try
        {
            return YamlJson.ToJson(Encoding.UTF8.GetString(body.Span), repeated);
        }
        catch (Exception e) when (e is ApiDecodeException or InvalidOperationException or ArgumentException)
        {
            // Of broken text the YAML scanner throws more than its own exception.
            throw Statuses.BadRequest("the body is not valid YAML: " + e.Message);
        }
    }

    private static ApiException TooLarge() => Statuses.TooLarge($"Request entity too large: limit is {MaxBytes}");
}
